#!/usr/bin/env bash
# How long one RENAME holds every table of a site, on each server, and what it waits for: the window of TABLES tables that give way to as many
# others, the same with the least durable setting, half of it (no table comes), and the syncs of one run by file.
#
#   bench/renames.sh [TABLES] [NAME...]    NAME as in scripts/servers.sh; RENAMES_PAIRS=5
#
# Each server on a fresh ext4 image. Root; the servers come from their own Debian.
set -euo pipefail
cd "$(dirname "$0")/.."
tables=${1:-400}
shift || true
(($#)) || set -- mariadb105 mariadb1011 mariadb118 mysql97
pairs=${RENAMES_PAIRS:-5}
work=$(mktemp -d /var/tmp/rv-renames.XXXXXX)
server=
end() {
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  ! mountpoint -q "$work/m" || umount "$work/m"
  rm -rf --one-file-system "$work"
}
trap end EXIT

sql() { mysql -uroot -S "$work/m/socket" -N "$@"; }

start() { # NAME
  local program=(mariadbd --no-defaults --innodb-use-native-aio=0) tries=300
  case $1 in
    mysql*) program=(mysqld --no-defaults --secure-file-priv= --mysqlx=OFF) ;;
    mariadb105) program[0]=mysqld ;;
  esac
  truncate -s 6G "$work/image"
  mkfs.ext4 -qF "$work/image"
  mkdir -p "$work/m"
  mount -o loop "$work/image" "$work/m"
  mkdir "$work/m/data" "$work/m/tmp"
  scripts/servers.sh fresh "$1" "$work/m/data"
  scripts/servers.sh run "$1" "$work/m" "${program[@]}" --user=root --datadir="$work/m/data" --socket="$work/m/socket" --skip-networking \
    --tmpdir="$work/m/tmp" >"$work/log" 2>&1 &
  server=$!
  until sql -e 'SELECT 1' >/dev/null 2>&1; do
    ((tries--)) || { tail -n 5 "$work/log" >&2; exit 1; }
    sleep 0.1
  done
}

stop() {
  sql -e SHUTDOWN
  wait "$server" || true
  server=
  umount "$work/m"
  rm "$work/image"
}

fill() {
  local schema number
  for schema in live shadow kept; do printf 'DROP DATABASE IF EXISTS %s; CREATE DATABASE %s;\n' "$schema" "$schema"; done | sql
  for schema in live shadow; do
    for ((number = 0; number < tables; number++)); do
      printf "CREATE TABLE %s.t%d (id INT PRIMARY KEY, v VARCHAR(50), KEY (v)) ENGINE=InnoDB; INSERT INTO %s.t%d VALUES (1, 'x');\n" \
        "$schema" "$number" "$schema" "$number"
    done
  done | sql
}

rename() { # [half]
  local number comma=''
  printf 'RENAME TABLE '
  for ((number = 0; number < tables; number++)); do
    printf '%slive.t%d TO kept.t%d' "$comma" "$number" "$number"
    comma=,
    [[ -n ${1:-} ]] || printf ',shadow.t%d TO live.t%d' "$number" "$number"
  done
  printf ';\n'
}

window() { # [half]: in milliseconds
  local statement begin=
  fill
  statement=$(rename "$@")
  begin=${EPOCHREALTIME/./}
  sql <<<"$statement"
  printf '%d ' "$(((${EPOCHREALTIME/./} - begin) / 1000))"
}

median() { tr ' ' '\n' <<<"$1" | grep . | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

syncs() {
  local program tracer statement
  fill
  statement=$(rename)
  program=$(pgrep -f -- "--datadir=$work/m/data" | tail -n 1)
  strace -f -y -e trace=fsync,fdatasync -p "$program" -o "$work/syncs" 2>/dev/null &
  tracer=$!
  sleep 1
  sql <<<"$statement"
  kill -INT "$tracer"
  wait "$tracer" || true
  sed -nE 's|.*sync\([0-9]+<([^>]*)>.*|\1|p' "$work/syncs" |
    sed -E 's|.*/m/data/||; s|t[0-9]+\.ibd|TABLE.ibd|; s|[0-9]+$||; s|#innodb_redo/.*|redo log|; s|ib_logfile.*|redo log|' |
    sort | uniq -c | sort -rn | awk -v all="$tables" '$1 > all / 10 { printf "%s%.1f %s %s", (n++ ? ", " : ""), $1 / all / 2, $2, $3 }'
}

printf '| Server | Window of %d tables | least durable | no table comes | syncs a renamed table |\n|---|---|---|---|---|\n' "$tables"
for name in "$@"; do
  start "$name"
  whole='' low='' half=''
  for ((pair = 0; pair < pairs; pair++)); do
    whole+=$(window)
    sql -e 'SET GLOBAL innodb_flush_log_at_trx_commit=0'
    low+=$(window)
    sql -e 'SET GLOBAL innodb_flush_log_at_trx_commit=1'
    half+=$(window half)
  done
  printf '| %s | %d ms | %d ms | %d ms | %s |\n' "$(sql -e 'SELECT VERSION()')" "$(median "$whole")" "$(median "$low")" "$(median "$half")" "$(syncs)"
  stop
done
