#!/usr/bin/env bash
# MariaDB 10.11.18 (Debian 12) to 11.8.9 (Debian 13): a function loads without an error, and fails at its first call.
#
# Guess: a dump names the collation of every table and database, so that all of it works as before on a server with another default.
# Seen: what a function says of its parameters and variables stands there as it was written: `CHARACTER SET utf8mb4` is utf8mb4_general_ci to the
# old server and utf8mb4_uca1400_ai_ci to the new one (character_set_collations). Compared with a column it is error 1267, "Illegal mix of
# collations". The load ends with 0; the pages that call the function fail. With `SET character_set_collations=''` before the same load it
# works.
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
  if [[ $3 == *"$2"* ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

sql old "CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; USE shop;
  CREATE TABLE customers (name VARCHAR(20)); INSERT INTO customers VALUES ('An');
  CREATE FUNCTION known(who VARCHAR(20) CHARACTER SET utf8mb4) RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM customers WHERE name = who)"
call="SELECT shop.known('An')"
expect 'the call, old server' 1 "$(sql old "$call")"
dump old --routines --databases shop >"$place/shop.sql"
expect 'the load' 'status 0' "$(load new mysql <"$place/shop.sql")"
expect 'the collation of its table' utf8mb4_general_ci \
  "$(sql new "SELECT COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop'")"
expect 'the call, new server' 'ERROR 1267 (HY000)' "$(sql new "$call")"
sql new 'DROP DATABASE shop'
expect 'the load without another default' 'status 0' "$({ echo "SET character_set_collations='';"; cat "$place/shop.sql"; } | load new mysql)"
expect 'the call' 1 "$(sql new "$call")"
exit "$failed"
