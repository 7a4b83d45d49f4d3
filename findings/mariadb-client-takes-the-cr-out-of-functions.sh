#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): a function that joins lines with CR LF joins them with LF after a dump and its load.
#
# Guess: a dump is text, and what stands between two quotes is loaded as it stands.
# Seen: in rows, defaults and views the dump writes \\r\\n. The bodies of functions, triggers and events it writes as they are, with the two bytes; and
# the client, where it reads a file, drops every CR in front of a LF, also inside quotes. The lines of a mail, of a CSV for a bank or of a signed
# request that such a body makes are other ones afterwards. The status is 0. With `--binary-mode` it comes back as it was. (The same with
# MySQL 9.7.4, and with whatever was saved by an editor that ends lines so.)
#
# Root, debootstrap, a network for packages; a chroot of trixie, half a GB. Fails when the behaviour, or a version, is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
root=$place/root
server=
# shellcheck disable=SC2317 # The trap calls it.
end() {
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf --one-file-system "$place"
}
trap end EXIT

debootstrap --variant=minbase trixie "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
  mariadb-server=1:11.8.9+ds-0+deb13u1 mariadb-client=1:11.8.9+ds-0+deb13u1 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

serve() { # FOLDER OPTION...
  mkdir "$root/$1"
  chroot "$root" mariadb-install-db --no-defaults --user=root --datadir="/$1" --skip-test-db --force --skip-name-resolve \
    --auth-root-authentication-method=normal --innodb-use-native-aio=0 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
  chroot "$root" mariadbd --no-defaults --user=root --datadir="/$1" --socket=/run/socket --skip-networking --innodb-use-native-aio=0 "${@:2}" \
    >"$place/server.log" 2>&1 &
  server=$!
  for ((try = 0; try < 300; try++)); do
    [[ $(sql 'SELECT 7') != 7 ]] || break
    sleep 0.1
  done
}
sql() { # SQL
  chroot "$root" mariadb --no-defaults -uroot -S /run/socket --batch --skip-column-names -e "$1" 2>&1 || true
}

serve data
printf '%s\r\n' "CREATE DATABASE shop; USE shop; CREATE TABLE mails (id INT PRIMARY KEY, body VARCHAR(90)); DELIMITER ;;" \
  "CREATE FUNCTION head() RETURNS VARCHAR(90) RETURN 'To: a" "Cc: b';;" \
  "CREATE TRIGGER filled BEFORE INSERT ON mails FOR EACH ROW SET NEW.body = 'To: a" "Cc: b';;" \
  "CREATE VIEW seen AS SELECT 'To: a" "Cc: b' AS body;;" >"$place/make.sql"
load() { # DATABASE FILE OPTION...; its status
  local status=0
  chroot "$root" mariadb --no-defaults -uroot -S /run/socket "${@:3}" "$1" <"$2" >"$place/said" 2>&1 || status=$?
  printf '%d' "$status"
}
expect 'made' 0 "$(load mysql "$place/make.sql" --binary-mode)"
sql 'CREATE DATABASE back; CREATE DATABASE back_binary'
chroot "$root" mariadb-dump --no-defaults -uroot -S /run/socket --routines shop >"$place/shop.sql"
expect 'the load' 0 "$(load back "$place/shop.sql")"
expect 'the load in binary mode' 0 "$(load back_binary "$place/shop.sql" --binary-mode)"
with=546F3A20610D0A43633A2062
without=546F3A20610A43633A2062
for what in shop:$with:$with back:$without:$with back_binary:$with:$with; do
  IFS=: read -r database body view <<<"$what"
  sql "INSERT INTO $database.mails (id) VALUES (1)"
  expect "$database: the function" "$body" "$(sql "SELECT HEX($database.head())")"
  expect "$database: the trigger" "$body" "$(sql "SELECT HEX(body) FROM $database.mails")"
  expect "$database: the view" "$view" "$(sql "SELECT HEX(body) FROM $database.seen")"
done
exit "$failed"
