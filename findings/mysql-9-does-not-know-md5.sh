#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13) to MySQL 9.7.4 (Debian sid): the dump loads without an error, and no row can be written any more.
#
# Guess: MD5() and SHA1() are there, as they have been since MySQL 3 and 4; what uses them goes on.
# Seen: MySQL 9.7 has neither: they lie in a component (component_classic_hashing) that nobody has installed. A trigger that calls one is taken
# without a word, the load ends with 0, the rows are there; the next INSERT ends with error 1305, "FUNCTION shop.MD5 does not exist". A table with
# a column computed by it is refused, error 3763, "contains a disallowed function", and a view, 1305. With INSTALL COMPONENT
# all of them work. The recipe of the WordPress manual for a lost password (user_pass = MD5('...')) fails likewise.
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

from_maria() { # SQL; makes it there, and loads the dump of it into MySQL; the status
  local status=0
  # What MySQL does not know of MariaDB's defaults is not the point.
  sql mariadb "SET NAMES utf8mb4 COLLATE utf8mb4_unicode_520_ci; SET sql_mode = 'STRICT_TRANS_TABLES'; DROP DATABASE IF EXISTS shop;
    CREATE DATABASE shop COLLATE utf8mb4_unicode_520_ci; USE shop; $1" >&2
  sql mysql 'DROP DATABASE IF EXISTS shop; CREATE DATABASE shop' >&2
  chroot "$place/mariadb" mariadb-dump --no-defaults -uroot -S /data/socket shop >"$place/shop.sql"
  chroot "$place/mysql" mysql --no-defaults -uroot -S /data/socket shop <"$place/shop.sql" >"$place/said" 2>&1 || status=$?
  printf '%d' "$status"
}
links='CREATE TABLE links (id INT PRIMARY KEY, url VARCHAR(100), hash CHAR(40));'
trigger='CREATE TRIGGER hashed BEFORE INSERT ON links FOR EACH ROW SET NEW.hash = MD5(NEW.url);'
expect 'a trigger: the load' 0 "$(from_maria "$links $trigger INSERT INTO links (id, url) VALUES (1, 'a')")"
expect 'a trigger: the row of the dump' '0cc175b9c0f1b6a831c399e269772661' "$(sql mysql 'SELECT hash FROM shop.links')"
insert="INSERT INTO shop.links (id, url) VALUES (2, 'b')"
expect 'a trigger: a new row' 'ERROR 1305 (42000) at line 1: FUNCTION shop.MD5 does not exist' "$(sql mysql "$insert")"
expect 'with the component' '' "$(sql mysql "INSTALL COMPONENT 'file://component_classic_hashing'; $insert")"
expect 'with the component: its hash' '92eb5ffee6ae2fec3ad71c777531578f' "$(sql mysql 'SELECT hash FROM shop.links WHERE id = 2')"
sql mysql "UNINSTALL COMPONENT 'file://component_classic_hashing'"
expect 'a column: the load' 1 "$(from_maria 'CREATE TABLE links (url VARCHAR(100), hash CHAR(40) AS (SHA1(url)) STORED);')"
expect 'a column: what it says' 3763 "$(grep -o 'ERROR [0-9]*' "$place/said" | cut -d ' ' -f 2)"
expect 'a view: the load' 1 "$(from_maria "$links CREATE VIEW hashes AS SELECT MD5(url) AS hash FROM links;")"
expect 'a view: what it says' 1305 "$(grep -o 'ERROR [0-9]*' "$place/said" | cut -d ' ' -f 2)"
exit "$failed"
