#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): `mariadb-import --dir` refuses the UUIDs, addresses and invisible columns that `mariadb-dump --dir` wrote.
#
# Guess: what `mariadb-dump --dir` (and `--tab`) writes without an error, `mariadb-import --dir` of the same release loads.
# Seen: a UUID or INET6 column is written as text and read as bytes: error 1292, "Incorrect uuid value" (the import reads files in the
# character set binary, for which 36 bytes are no UUID). A column that is INVISIBLE is written, and not expected: error 1262. One
# such table ends the import: tables behind it stay empty. As SQL (`mariadb-dump` without a folder) the same rows come back.
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
  mariadb-server=1:11.8.9+ds-0+deb13u1 mariadb-client=1:11.8.9+ds-0+deb13u1 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == *"$2"* ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

install -d "$root/run/mysqld"
# As root, so that it may write into the folder of a dump.
chroot "$root" mariadbd --user=root >"$place/server.log" 2>&1 &
server=$!
for ((try = 0; try < 300; try++)); do
  chroot "$root" mariadb -e 'SELECT 1' >/dev/null 2>&1 && break
  sleep 0.1
done

sql() { # SQL
  chroot "$root" mariadb --batch --skip-column-names -e "$1" 2>&1 || true
}
# The folder of a database, and it again under another name.
dump_to_folder() { # DATABASE OTHER-NAME
  mkdir "$root/root/$1"
  chroot "$root" mariadb-dump --dir="/root/$1" --databases "$1"
  mv "$root/root/$1/$1" "$root/root/$1/$2"
}
import_folder() { # DATABASE
  chroot "$root" mariadb-import --dir="/root/$1" 2>&1 || true
}
printf 'server %s\n' "$(sql 'SELECT VERSION()')"

sql "CREATE DATABASE a; USE a; CREATE TABLE keyed (id UUID PRIMARY KEY, v INT); INSERT INTO keyed VALUES (UUID(), 7);
  CREATE DATABASE b; USE b; CREATE TABLE visits (id INT PRIMARY KEY, came_from INET6); INSERT INTO visits VALUES (1, '2001:db8::1');
  CREATE DATABASE c; USE c; CREATE TABLE notes (id INT PRIMARY KEY, hidden INT INVISIBLE, v INT); INSERT INTO notes (id, hidden, v) VALUES (1, 2, 3)"
for name in a b c; do
  dump_to_folder "$name" "${name}_back"
done
expect 'a UUID' '1292, Incorrect uuid value' "$(import_folder a)"
expect 'rows of it that came back' '0' "$(sql 'SELECT COUNT(*) FROM a_back.keyed')"
expect 'an address' "1292, Incorrect inet6 value: '2001:db8::1'" "$(import_folder b)"
expect 'an invisible column' '1262, Row 1 was truncated' "$(import_folder c)"
chroot "$root" mariadb-dump a >"$root/root/a.sql"
sql 'CREATE DATABASE a_sql'
chroot "$root" mariadb a_sql <"$root/root/a.sql"
expect 'the UUID, as SQL' '7' "$(sql 'SELECT back.v FROM a_sql.keyed back JOIN a.keyed USING (id)')"
exit "$failed"
