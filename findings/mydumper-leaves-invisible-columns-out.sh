#!/usr/bin/env bash
# Debian 12, mydumper 0.10.1-1+deb12u2 with MariaDB 10.11.18: an invisible column is in the definition of its table, and in none of its rows.
#
# Guess: mydumper, which names the columns of a table with generated ones, names them wherever SELECT * is not all of them.
# Seen: it asks for SELECT *, in which an INVISIBLE column is not, and writes rows without a list of columns. The definition has the column.
# mydumper and myloader end with 0, the number of rows is right, and every value of the column is NULL or its default. A table that has a
# generated column too comes back whole. The same with mydumper 0.10.1-2 of sid and MySQL 9.7.4.
#
# Root, debootstrap, a network for packages; a chroot of bookworm, half a GB. Fails when the behaviour, or a version, is another one.
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

debootstrap --variant=minbase bookworm "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
  mariadb-server-core=1:10.11.18-0+deb12u1 mariadb-client=1:10.11.18-0+deb12u1 mydumper=0.10.1-1+deb12u2 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

mkdir "$root/data"
chroot "$root" mariadb-install-db --no-defaults --user=root --datadir=/data --skip-test-db --force --skip-name-resolve \
    --auth-root-authentication-method=normal --innodb-use-native-aio=0 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
chroot "$root" mariadbd --no-defaults --user=root --datadir=/data --socket=/data/socket --skip-networking --innodb-use-native-aio=0 \
  >"$place/server.log" 2>&1 &
server=$!

sql() { # SQL
  chroot "$root" mariadb --no-defaults -uroot -S /data/socket --batch --skip-column-names -e "$1" 2>&1 || true
}
for ((try = 0; try < 300; try++)); do
  [[ $(sql 'SELECT 7') != 7 ]] || break
  sleep 0.1
done
printf 'server %s\n' "$(sql 'SELECT VERSION()')"

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

status() { # PROGRAM ARGUMENT...
  local status=0
  chroot "$root" "$@" >"$place/said" 2>&1 || status=$?
  printf '%d' "$status"
}
sql "CREATE DATABASE shop; USE shop;
  CREATE TABLE orders (id INT PRIMARY KEY, total INT, margin INT INVISIBLE); INSERT INTO orders (id, total, margin) VALUES (1, 20, 7);
  CREATE TABLE bills (id INT PRIMARY KEY, twice INT AS (id * 2) STORED, margin INT INVISIBLE); INSERT INTO bills (id, margin) VALUES (1, 7)"
expect 'mydumper' 0 "$(status mydumper -u root -S /data/socket -B shop -o /out)"
# shellcheck disable=SC2016 # The server's own quotes.
expect 'the rows as they are written' 'INSERT INTO `orders` VALUES (1,20);' \
  "$(grep -A 1 '^INSERT' "$root/out/shop.orders.sql" | tr '\n' ' ' | sed 's/ $//')"
expect 'myloader' 0 "$(status myloader -u root -S /data/socket -s shop -B back -d /out)"
expect 'the row before' $'1\t20\t7' "$(sql 'SELECT id, total, margin FROM shop.orders')"
expect 'the row after' $'1\t20\tNULL' "$(sql 'SELECT id, total, margin FROM back.orders')"
expect 'beside a generated column' $'1\t2\t7' "$(sql 'SELECT id, twice, margin FROM back.bills')"
exit "$failed"
