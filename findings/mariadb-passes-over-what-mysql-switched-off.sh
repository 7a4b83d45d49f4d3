#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid) to MariaDB 11.8.9 (Debian 13): a CHECK that was off is on, a column that was hidden is seen, and the shop cannot write.
#
# Guess: MariaDB, which has invisible columns itself, reads them in a dump of MySQL; a CHECK that is not enforced stays so, or is left out.
# Seen: mysqldump writes both in comments, `/*!80023 INVISIBLE */` and `/*!80016 NOT ENFORCED */`, which MariaDB passes over as another product's. What
# stands before them stays. The rows that the CHECK was switched off for are refused, error 4025, which ends the load. The hidden column is one
# like any other: SELECT * has it, and INSERT INTO t VALUES (...) ends with error 1136, with a load that ended with 0. MySQL makes such a column
# in every table without a primary key where sql_generate_invisible_primary_key is on, as it is in some clouds.
#
# Root, debootstrap, a network for packages; chroots of sid and trixie, half a GB each. Fails when the behaviour, or a version, is another one.
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

make() { # FOLDER SUITE PACKAGE...
  local folder=$place/$1 suite=$2
  shift 2
  debootstrap --variant=minbase "$suite" "$folder" "${MIRROR:-http://deb.debian.org/debian}" \
    >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
  printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
  chmod 0755 "$folder/usr/sbin/policy-rc.d"
  chroot "$folder" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" \
    >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
  mkdir "$folder/data"
}
make mysql sid mysql-server-core=9.7.4-2 mysql-client-core=9.7.4-2
make mariadb trixie mariadb-server-core=1:11.8.9+ds-0+deb13u1 mariadb-client=1:11.8.9+ds-0+deb13u1
chroot "$place/mysql" mysqld --no-defaults --initialize-insecure --user=root --datadir=/data \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
chroot "$place/mysql" mysqld --no-defaults --user=root --datadir=/data --socket=/data/socket --skip-networking --mysqlx=OFF --secure-file-priv=NULL \
  >>"$place/server.log" 2>&1 &
servers+=("$!")
chroot "$place/mariadb" mariadb-install-db --no-defaults --user=root --datadir=/data --skip-test-db --force --skip-name-resolve \
    --auth-root-authentication-method=normal --innodb-use-native-aio=0 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
chroot "$place/mariadb" mariadbd --no-defaults --user=root --datadir=/data --socket=/data/socket --skip-networking --innodb-use-native-aio=0 \
  >>"$place/server.log" 2>&1 &
servers+=("$!")

sql() { # SERVER SQL
  chroot "$place/$1" "$1" --no-defaults -uroot -S /data/socket --batch --skip-column-names -e "$2" 2>&1 || true
}
for server in mysql mariadb; do
  for ((try = 0; try < 600; try++)); do
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

load() { # the dump of the database in MySQL; the status
  local status=0
  chroot "$place/mysql" mysqldump --no-defaults -uroot -S /data/socket --set-gtid-purged=OFF shop >"$place/shop.sql"
  sql mariadb 'DROP DATABASE IF EXISTS shop; CREATE DATABASE shop' >&2
  chroot "$place/mariadb" mariadb --no-defaults -uroot -S /data/socket shop <"$place/shop.sql" >"$place/said" 2>&1 || status=$?
  printf '%d' "$status"
}
sql mysql "CREATE DATABASE shop; USE shop; SET sql_generate_invisible_primary_key = ON; CREATE TABLE visits (page VARCHAR(50)) COLLATE utf8mb4_bin;
  INSERT INTO visits VALUES ('/')"
expect 'columns, MySQL' '/' "$(sql mysql 'SELECT * FROM shop.visits')"
expect 'the hidden key: the load' 0 "$(load)"
expect 'columns, MariaDB' $'1\t/' "$(sql mariadb 'SELECT * FROM shop.visits')"
insert="INSERT INTO shop.visits VALUES ('/about')"
expect 'a new row, MySQL' '' "$(sql mysql "$insert")"
expect 'a new row, MariaDB' "ERROR 1136 (21S01) at line 1: Column count doesn't match value count at row 1" "$(sql mariadb "$insert" | tail -n 1)"
sql mysql "USE shop; DROP TABLE visits; CREATE TABLE stock (id INT PRIMARY KEY, left_over INT, CONSTRAINT in_stock CHECK (left_over >= 0) NOT ENFORCED)
  COLLATE utf8mb4_bin; INSERT INTO stock VALUES (1, -2)"
expect 'the CHECK: the load' 1 "$(load)"
# shellcheck disable=SC2016 # The server's own quotes.
expect 'the CHECK: what it says' 'CONSTRAINT `in_stock` failed for `shop`.`stock`' "$(grep -o 'CONSTRAINT .*' "$place/said" | tail -n 1)"
expect 'the CHECK: rows' 0 "$(sql mariadb 'SELECT COUNT(*) FROM shop.stock')"
exit "$failed"
