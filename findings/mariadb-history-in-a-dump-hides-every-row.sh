#!/usr/bin/env bash
# MariaDB 10.11.18 (Debian 12) to 11.8.9 (Debian 13): a dump with the history of a table loads without an error, and the table is empty.
#
# Guess: `mariadb-dump --dump-history` of the old server brings the rows of today and those of before to the new one, as it does to a
# server of its own release.
# Seen: since 11.5 a row of today ends in 2106, before that it ended in 2038. The dump has 2038 written out, so that to the new server every
# row has an end, and is one of before: SELECT sees none of them, COUNT(*) is 0, the status is 0 and there is no warning. They are all there with
# FOR SYSTEM_TIME ALL. The same dump with the year 2106 in their place loads as it was. (The new client has --update-history
# for this; it is off, and does nothing for a dump that lies there already.)
#
# Root, debootstrap, a network for packages; chroots of bookworm and trixie, half a GB each. Fails when the behaviour, or a version, is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
servers=()
# shellcheck disable=SC2317 # The trap calls it.
end() {
  local server
  for server in "${servers[@]}"; do
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  done
  rm -rf --one-file-system "$place"
}
trap end EXIT

start() { # FOLDER SUITE PACKAGE...
  local folder=$place/$1 suite=$2
  shift 2
  debootstrap --variant=minbase "$suite" "$folder" "${MIRROR:-http://deb.debian.org/debian}" \
    >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
  printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
  chmod 0755 "$folder/usr/sbin/policy-rc.d"
  chroot "$folder" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" \
    >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
  mkdir "$folder/data"
  chroot "$folder" mariadb-install-db --no-defaults --user=root --datadir=/data --skip-test-db --force --skip-name-resolve \
    --auth-root-authentication-method=normal --innodb-use-native-aio=0 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
  chroot "$folder" mariadbd --no-defaults --user=root --datadir=/data --socket=/data/socket --skip-networking --innodb-use-native-aio=0 \
    >>"$place/server.log" 2>&1 &
  servers+=("$!")
}
start old bookworm mariadb-server-core=1:10.11.18-0+deb12u1 mariadb-client=1:10.11.18-0+deb12u1
start new trixie mariadb-server-core=1:11.8.9+ds-0+deb13u1 mariadb-client=1:11.8.9+ds-0+deb13u1

sql() { # SERVER SQL
  chroot "$place/$1" mariadb --no-defaults -uroot -S /data/socket --batch --skip-column-names -e "$2" 2>&1 || true
}
dump() { # SERVER ARGUMENT...
  local from=$1
  shift
  chroot "$place/$from" mariadb-dump --no-defaults -uroot -S /data/socket "$@"
}
load() { # SERVER DATABASE; a dump from its standard input; what was said, and the status
  local status=0
  chroot "$place/$1" mariadb --no-defaults -uroot -S /data/socket "$2" 2>&1 || status=$?
  printf 'status %d' "$status"
}
for server in old new; do
  for ((try = 0; try < 300; try++)); do
    [[ $(sql "$server" 'SELECT 7') != 7 ]] || break
    sleep 0.1
  done
  printf '%s server %s\n' "$server" "$(sql "$server" 'SELECT VERSION()')"
done

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

sql old "CREATE DATABASE shop; USE shop; CREATE TABLE prices (id INT PRIMARY KEY, price INT) WITH SYSTEM VERSIONING;
  INSERT INTO prices VALUES (1, 10), (2, 20); UPDATE prices SET price = 11 WHERE id = 1"
dump old --dump-history shop >"$place/shop.sql"
for server in old new; do
  sql "$server" 'CREATE DATABASE back'
  expect "loaded by the $server server" 'status 0' "$(load "$server" back <"$place/shop.sql")"
done
count='SELECT COUNT(*) FROM back.prices'
expect 'rows of today, old server' 2 "$(sql old "$count")"
expect 'rows of today, new server' 0 "$(sql new "$count")"
expect 'with those of before, new server' 3 "$(sql new "$count FOR SYSTEM_TIME ALL")"
expect 'their end' 2 "$(sql new "$count FOR SYSTEM_TIME ALL WHERE row_end = '2038-01-19 03:14:07.999999'")"
sql new 'DROP DATABASE back; CREATE DATABASE back'
expect 'the dump with the new end' 'status 0' "$(sed 's/2038-01-19 03:14:07.999999/2106-02-07 06:28:15.999999/g' "$place/shop.sql" | load new back)"
expect 'rows of today then' 2 "$(sql new "$count")"
exit "$failed"
