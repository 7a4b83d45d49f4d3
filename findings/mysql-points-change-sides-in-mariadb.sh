#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid) to MariaDB 11.8.9 (Debian 13): a place at 52.5 north, 13.4 east is one at 13.4 north, 52.5 east after the move.
#
# Guess: a POINT is its bytes; both servers read the same two numbers out of it.
# Seen: MySQL gives and takes a point of SRID 4326 as latitude and longitude, and stores longitude and latitude. The dump has the bytes, and its
# SRID in a comment that MariaDB passes over. MariaDB shows what is stored: ST_X is 13.4 where it was 52.5, and ST_AsText is POINT(13.4 52.5) where it
# was POINT(52.5 13.4). The load ends with 0, and the shop finder looks in the sea off Yemen.
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

sql mysql "CREATE DATABASE shop; USE shop; CREATE TABLE places (id INT PRIMARY KEY, place POINT NOT NULL SRID 4326) COLLATE utf8mb4_unicode_520_ci;
  INSERT INTO places VALUES (1, ST_GeomFromText('POINT(52.5 13.4)', 4326))"
chroot "$place/mysql" mysqldump --no-defaults -uroot -S /data/socket --set-gtid-purged=OFF shop >"$place/shop.sql"
sql mariadb 'CREATE DATABASE shop'
status=0
chroot "$place/mariadb" mariadb --no-defaults -uroot -S /data/socket shop <"$place/shop.sql" || status=$?
expect 'the load' 0 "$status"
for what in ST_X:52.5:13.4 ST_Y:13.4:52.5 'ST_AsText:POINT(52.5 13.4):POINT(13.4 52.5)' ST_SRID:4326:4326; do
  IFS=: read -r function before after <<<"$what"
  expect "$function, MySQL" "$before" "$(sql mysql "SELECT $function(place) FROM shop.places")"
  expect "$function, MariaDB" "$after" "$(sql mariadb "SELECT $function(place) FROM shop.places")"
done
exit "$failed"
