#!/usr/bin/env bash
# MySQL 9.7.4 (Debian sid): a view is made without an error, is never to be read, and there is no dump of its database from then on.
#
# Guess: a view that CREATE VIEW takes can be read, shown and dumped.
# Seen: TRIM(LEADING FROM s), like TRIM(TRAILING FROM s) and TRIM(BOTH FROM s), the way standard SQL has it, works in a query. In a view the server
# writes it down as `trim(leading s)`, which it does not understand: every SELECT, SHOW CREATE VIEW and CHECK TABLE ends with a syntax error (1064).
# CREATE VIEW has said nothing. mysqldump ends with 2 before the first table. It goes on past it with --ignore-table and --force. TRIM(s) does it.
#
# Root, debootstrap, a network for packages; a chroot of sid, half a GB. Fails when the behaviour, or a version, is another one.
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

debootstrap --variant=minbase sid "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
  mysql-server-core=9.7.4-2 mysql-client-core=9.7.4-2 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

mkdir "$root/data"
chroot "$root" mysqld --no-defaults --initialize-insecure --user=root --datadir=/data \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
chroot "$root" mysqld --no-defaults --user=root --datadir=/data --socket=/data/socket --skip-networking --mysqlx=OFF --secure-file-priv=NULL \
  >"$place/server.log" 2>&1 &
server=$!
sql() { # SQL
  chroot "$root" mysql --no-defaults -uroot -S /data/socket --batch --skip-column-names -e "$1" 2>&1 || true
}
for ((try = 0; try < 600; try++)); do
  [[ $(sql 'SELECT 7') != 7 ]] || break
  sleep 0.1
done
dump() { # OPTION...; its status, and how many tables it has
  local status=0
  chroot "$root" mysqldump --no-defaults -uroot -S /data/socket --set-gtid-purged=OFF "$@" shop >"$place/shop.sql" 2>"$place/said" || status=$?
  printf '%d with %d' "$status" "$(grep -c 'CREATE TABLE' "$place/shop.sql")"
}
sql "CREATE DATABASE shop; USE shop; CREATE TABLE t (s VARCHAR(9)); INSERT INTO t VALUES ('  a')"
for side in LEADING TRAILING BOTH; do
  expect "$side: the query" 'a' "$(sql "SELECT TRIM($side FROM s) FROM shop.t" | tr -d ' ')"
  expect "$side: the view is made" '' "$(sql "USE shop; CREATE OR REPLACE VIEW v AS SELECT TRIM($side FROM s) AS s FROM t")"
  expect "$side: the view is read" 'ERROR 1064' "$(sql 'SELECT * FROM shop.v' | cut -d ' ' -f 1,2)"
  expect "$side: the view is shown" 'ERROR 1064' "$(sql 'SHOW CREATE VIEW shop.v' | cut -d ' ' -f 1,2)"
done
expect 'a dump' '2 with 0' "$(dump)"
expect 'a dump without the view' '0 with 1' "$(dump --ignore-table=shop.v)"
expect 'a dump with --force' '2 with 1' "$(dump --force)"
sql 'USE shop; CREATE OR REPLACE VIEW v AS SELECT TRIM(s) AS s FROM t'
expect 'a dump, with TRIM(s)' '0 with 1' "$(dump)"
exit "$failed"
