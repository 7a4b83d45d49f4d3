#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid) to MariaDB 11.8.9 (Debian 13): a view of the open orders is empty after the move, and nobody says so.
#
# Guess: data->'$.status' is compared with a text in the same way everywhere, or nowhere.
# Seen: to MySQL it is a JSON value, to MariaDB a text with its quotes. For `=` MariaDB takes the quotes off, so that a first try finds what it should;
# for IN it does not: `data->'$.status' IN ('paid', 'sent')` is true for no row. The number 1 and the text "1", which are two things to MySQL,
# are one for `=`. A dump holds the view as json_extract(...), which MariaDB knows; the load ends with 0. With ->> (json_unquote) both agree.
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

# shellcheck disable=SC2016 # A path in JSON.
sql mysql "CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY, data JSON) COLLATE utf8mb4_bin;
  INSERT INTO orders VALUES (1, '{\"status\": \"paid\", \"late\": 1}'), (2, '{\"status\": \"new\", \"late\": \"1\"}'), (3, '{\"status\": \"sent\"}');
  CREATE VIEW paid AS SELECT id FROM orders WHERE data->'\$.status' = 'paid';
  CREATE VIEW paid_or_sent AS SELECT id FROM orders WHERE data->'\$.status' IN ('paid', 'sent');
  CREATE VIEW unquoted AS SELECT id FROM orders WHERE data->>'\$.status' IN ('paid', 'sent');
  CREATE VIEW late AS SELECT id FROM orders WHERE data->'\$.late' = 1"
chroot "$place/mysql" mysqldump --no-defaults -uroot -S /data/socket --set-gtid-purged=OFF shop >"$place/shop.sql"
sql mariadb 'CREATE DATABASE shop'
status=0
chroot "$place/mariadb" mariadb --no-defaults -uroot -S /data/socket shop <"$place/shop.sql" || status=$?
expect 'the load' 0 "$status"
for what in paid:1:1 'paid_or_sent:1 3:' 'unquoted:1 3:1 3' 'late:1:1 2'; do
  IFS=: read -r view before after <<<"$what"
  expect "$view, MySQL" "$before" "$(sql mysql "SELECT id FROM shop.$view ORDER BY id" | tr '\n' ' ' | sed 's/ $//')"
  expect "$view, MariaDB" "$after" "$(sql mariadb "SELECT id FROM shop.$view ORDER BY id" | tr '\n' ' ' | sed 's/ $//')"
done
exit "$failed"
