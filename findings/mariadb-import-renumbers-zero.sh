#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): a row with the number 0 comes back from `mariadb-import --dir` with another number, and nobody says so.
#
# Guess: a folder of `mariadb-dump --dir` brings every row back as it was, or fails.
# Seen: the row 0 of an AUTO_INCREMENT column (shops keep "no customer" and "the default store" there) becomes the next free number: the
# import does not set NO_AUTO_VALUE_ON_ZERO, as a dump in SQL does. The status is 0, warnings are 0, the count of rows is right. What refers
# to row 0 points to nothing then, also where a foreign key is to prevent that: the import turns its check off.
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

sql "CREATE DATABASE shop; USE shop; SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO');
  CREATE TABLE stores (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20)); INSERT INTO stores VALUES (0, 'default'), (5, 'other');
  CREATE TABLE orders (id INT PRIMARY KEY, store INT, FOREIGN KEY (store) REFERENCES stores (id)); INSERT INTO orders VALUES (1, 0)"
dump_to_folder shop shop_back
expect 'the import' 'Records: 2  Deleted: 0  Skipped: 0  Warnings: 0' "$(import_folder shop)"
expect 'the number before' '0' "$(sql "SELECT id FROM shop.stores WHERE name = 'default'")"
expect 'the number after' '6' "$(sql "SELECT id FROM shop_back.stores WHERE name = 'default'")"
expect 'orders without a store, against the foreign key' '1' "$(sql 'SELECT COUNT(*) FROM shop_back.orders WHERE store NOT IN (SELECT id FROM shop_back.stores)')"
chroot "$root" mariadb-dump shop >"$root/root/shop.sql"
sql 'CREATE DATABASE shop_sql'
chroot "$root" mariadb shop_sql <"$root/root/shop.sql"
expect 'the number after, as SQL' '0' "$(sql "SELECT id FROM shop_sql.stores WHERE name = 'default'")"
exit "$failed"
