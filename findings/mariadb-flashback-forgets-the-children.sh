#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): `mariadb-binlog --flashback` brings a deleted customer back, without the orders that went with him.
#
# Guess: a flashback undoes what a statement deleted, and says so where it cannot.
# Seen: rows that a foreign key deletes (ON DELETE CASCADE) are deleted by the storage engine, and are in no binary log, whatever its form. The
# flashback has the one row that the statement named. It ends with 0, its load ends with 0, and the children are lost. The same holds for whatever
# reads changes from the binary log. (MySQL 9.7.4 writes them.)
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
  mariadb-server-core=1:11.8.9+ds-0+deb13u1 mariadb-client=1:11.8.9+ds-0+deb13u1 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

mkdir "$root/data"
chroot "$root" mariadb-install-db --no-defaults --user=root --datadir=/data --skip-test-db --force --skip-name-resolve \
    --auth-root-authentication-method=normal --innodb-use-native-aio=0 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
chroot "$root" mariadbd --no-defaults --user=root --datadir=/data --socket=/data/socket --skip-networking --innodb-use-native-aio=0 \
  --log-bin=/data/log --binlog-format=ROW --binlog-row-image=FULL --server-id=1 >"$place/server.log" 2>&1 &
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

counts() {
  sql 'SELECT (SELECT COUNT(*) FROM shop.customers), (SELECT COUNT(*) FROM shop.orders)' | tr '\t' ' '
}
sql "CREATE DATABASE shop; USE shop; CREATE TABLE customers (id INT PRIMARY KEY, name VARCHAR(9));
  CREATE TABLE orders (id INT PRIMARY KEY, customer INT, FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE);
  INSERT INTO customers VALUES (1, 'An'), (2, 'Binh'); INSERT INTO orders VALUES (10, 1), (11, 1), (12, 2); FLUSH BINARY LOGS"
expect 'customers and orders' '2 3' "$(counts)"
sql 'DELETE FROM shop.customers WHERE id = 1; FLUSH BINARY LOGS'
expect 'after the DELETE' '1 1' "$(counts)"
log=$(sql 'SHOW BINARY LOGS' | tail -n 2 | head -n 1 | cut -f 1)
status=0
chroot "$root" mariadb-binlog --no-defaults --flashback -vv "/data/$log" >"$place/flashback.sql" || status=$?
expect 'the flashback' 0 "$status"
status=0
chroot "$root" mariadb --no-defaults -uroot -S /data/socket <"$place/flashback.sql" || status=$?
expect 'its load' 0 "$status"
expect 'after it' '2 1' "$(counts)"
exit "$failed"
