#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13), in Viet Nam: what a dump brings back has other days in it, or does not come back at all.
#
# Guess: a dump sets the time zone to UTC only so that a TIMESTAMP is written and read in the same one; nothing else depends on it.
# Seen: a STORED column that is computed of a TIMESTAMP (the day of an order, for a report) is computed anew when the dump is loaded, in UTC: an
# order of 3 in the morning is one of the day before. The status is 0, nothing is said. The dump itself holds the right day; the server
# passes over it. A CHECK of the hour refuses rows that the same server had taken (4025). Where the day is part of a UNIQUE key two rows
# become one, and the load ends with error 1180, "Operation not permitted", which names neither key nor row.
# A dump with `--skip-tz-utc` of a server in the same zone loads as it was.
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
  --default-time-zone=+07:00 >"$place/server.log" 2>&1 &
server=$!

sql() { # SQL
  chroot "$root" mariadb --no-defaults -uroot -S /data/socket --batch --skip-column-names -e "$1" 2>&1 || true
}
dump() { # ARGUMENT...
  chroot "$root" mariadb-dump --no-defaults -uroot -S /data/socket "$@"
}
load() { # DATABASE; a dump from its standard input; what was said, and the status
  local status=0
  chroot "$root" mariadb --no-defaults -uroot -S /data/socket "$1" 2>&1 || status=$?
  printf 'status %d' "$status"
}
for ((try = 0; try < 300; try++)); do
  [[ $(sql 'SELECT 7') != 7 ]] || break
  sleep 0.1
done
printf 'server %s\n' "$(sql 'SELECT VERSION()')"

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == *"$2"* ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

again() { # TABLE OPTION...; the table in another database of the same server
  local table=$1
  shift
  sql 'DROP DATABASE IF EXISTS back; CREATE DATABASE back'
  dump "$@" shop "$table" >"$place/$table.sql"
  load back <"$place/$table.sql"
}
sql "CREATE DATABASE shop; USE shop;
  CREATE TABLE orders (id INT PRIMARY KEY, created TIMESTAMP NOT NULL, day DATE AS (DATE(created)) STORED);
  CREATE TABLE calls (id INT PRIMARY KEY, begun TIMESTAMP NOT NULL, CHECK (HOUR(begun) BETWEEN 8 AND 20));
  CREATE TABLE visits (id INT PRIMARY KEY, seen TIMESTAMP NOT NULL, day DATE AS (DATE(seen)) STORED, UNIQUE (day));
  INSERT INTO orders (id, created) VALUES (1, '2026-05-02 03:00:00'); INSERT INTO calls VALUES (1, '2026-05-02 09:00:00');
  INSERT INTO visits (id, seen) VALUES (1, '2026-05-02 03:00:00'), (2, '2026-05-01 12:00:00')"
row='SELECT created, day FROM shop.orders'
expect 'the order' $'2026-05-02 03:00:00\t2026-05-02' "$(sql "$row")"
expect 'the load' 'status 0' "$(again orders)"
expect 'the dump' "(1,'2026-05-01 20:00:00','2026-05-02')" "$(cat "$place/orders.sql")"
expect 'the order afterwards' $'2026-05-02 03:00:00\t2026-05-01' "$(sql "${row/shop/back}")"
expect 'with --skip-tz-utc' 'status 0' "$(again orders --skip-tz-utc)"
expect 'the order then' $'2026-05-02 03:00:00\t2026-05-02' "$(sql "${row/shop/back}")"
expect 'a check of the hour' 'ERROR 4025' "$(again calls)"
expect 'rows of it' 0 "$(sql 'SELECT COUNT(*) FROM back.calls')"
expect 'a day that is a key' 'ERROR 1180' "$(again visits)"
expect 'rows of it' 0 "$(sql 'SELECT COUNT(*) FROM back.visits')"
exit "$failed"
