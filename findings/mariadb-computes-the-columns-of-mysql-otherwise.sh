#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid) to MariaDB 11.8.9 (Debian 13): the address of every product of the shop is `$2-$1` after the move.
#
# Guess: a STORED column is data, and comes over as it is; a function of the same name and arguments gives the same.
# Seen: a dump does not hold the values of such a column; the server that loads it computes them. In REGEXP_REPLACE() the parts that were found are
# `$1` to MySQL and `\\1` to MariaDB, which takes `$1` as it stands; where nothing is found REGEXP_SUBSTR() is NULL in MySQL and '' in MariaDB. The
# load ends with 0, the count of rows is right, and the column has other values. Where it is UNIQUE all rows become one, and the load ends with
# error 1180, "Operation not permitted", which names no row. From MariaDB to MySQL it is the other way round.
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

load() { # TABLE-OPTIONS; makes the table in MySQL, and loads its dump; the status
  local status=0
  sql mysql "DROP DATABASE IF EXISTS shop; CREATE DATABASE shop; USE shop; CREATE TABLE products (id INT PRIMARY KEY, title VARCHAR(50),
    address VARCHAR(50) AS (REGEXP_REPLACE(title, '^(.*) in (.*)\$', '\$2-\$1')) STORED, size VARCHAR(9) AS (REGEXP_SUBSTR(title, '[0-9]+')) STORED $1)
    COLLATE utf8mb4_bin; INSERT INTO products (id, title) VALUES (1, 'shoe 43 in red'), (2, 'hat in blue')" >&2
  chroot "$place/mysql" mysqldump --no-defaults -uroot -S /data/socket --set-gtid-purged=OFF shop >"$place/shop.sql"
  sql mariadb 'DROP DATABASE IF EXISTS shop; CREATE DATABASE shop' >&2
  chroot "$place/mariadb" mariadb --no-defaults -uroot -S /data/socket shop <"$place/shop.sql" >"$place/said" 2>&1 || status=$?
  printf '%d' "$status"
}
all='SELECT id, title, address, size FROM shop.products ORDER BY id'
expect 'the load' 0 "$(load '')"
expect 'MySQL' $'1\tshoe 43 in red\tred-shoe 43\t43\n2\that in blue\tblue-hat\tNULL' "$(sql mysql "$all")"
expect 'MariaDB' $'1\tshoe 43 in red\t$2-$1\t43\n2\that in blue\t$2-$1\t' "$(sql mariadb "$all")"
expect 'with a UNIQUE key: the load' 1 "$(load ', UNIQUE (address)')"
expect 'with a UNIQUE key: what it says' 'Got error 1 "Operation not permitted" during COMMIT' "$(grep -o 'Got error.*' "$place/said")"
exit "$failed"
