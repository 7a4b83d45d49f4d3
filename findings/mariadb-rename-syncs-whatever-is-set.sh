#!/usr/bin/env bash
# MariaDB 1:11.8.9+ds-0+deb13u1 (Debian 13): a RENAME of many tables waits for three syncs of the DDL log a table, and no setting takes one away.
#
# Guess: the DDL log is synced once a statement, before and after.
# Seen: three syncs of ddl_recovery.log for every renamed table, one after the other, with innodb_flush_log_at_trx_commit 1 and 0 alike; 200 renames
# in one statement are 600, and every table of the statement is locked to its end.
#
# Root, debootstrap, a network for packages; a chroot of trixie, half a GB. Fails when the behaviour, or the version, is another one.
set -euo pipefail

version=1:11.8.9+ds-0+deb13u1
place=$(mktemp -d /var/tmp/finding.XXXXXX)
root=$place/root
server=
# shellcheck disable=SC2317 # The trap calls it.
end() {
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  ! mountpoint -q "$root/proc" || umount "$root/proc"
  rm -rf --one-file-system "$place"
}
trap end EXIT

debootstrap --variant=minbase trixie "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
inside() { # COMMAND...
  chroot "$root" "$@"
}
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
inside env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
  "mariadb-server-core=$version" "mariadb-client=$version" strace >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
mount -t proc proc "$root/proc"
mkdir "$root/data"
inside mariadb-install-db --no-defaults --user=root --datadir=/data --skip-test-db --force --skip-name-resolve \
  --auth-root-authentication-method=normal --innodb-use-native-aio=0 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
chroot "$root" mariadbd --no-defaults --innodb-use-native-aio=0 --user=root --datadir=/data --socket=/data/socket --skip-networking --pid-file=/data/pid \
  >"$place/server.log" 2>&1 &
server=$!
sql() { inside mariadb -uroot -S /data/socket -N "$@"; }
for ((try = 0; try < 300; try++)); do
  sql -e 'SELECT 1' >/dev/null 2>&1 && break
  sleep 0.1
done
printf 'server %s\n' "$(sql -e 'SELECT VERSION()')"

statement=
for ((number = 0; number < 100; number++)); do
  statement+="${statement:+,}live.t$number TO kept.t$number,shadow.t$number TO live.t$number"
done

syncs() { # SETTING: how often the DDL log was synced
  local schema number tracer
  {
    for schema in live shadow kept; do printf 'DROP DATABASE IF EXISTS %s; CREATE DATABASE %s;\n' "$schema" "$schema"; done
    for ((number = 0; number < 100; number++)); do
      printf 'CREATE TABLE live.t%d (id INT PRIMARY KEY) ENGINE=InnoDB; CREATE TABLE shadow.t%d LIKE live.t%d;\n' "$number" "$number" "$number"
    done
    printf 'SET GLOBAL innodb_flush_log_at_trx_commit=%d;\n' "$1"
  } | sql
  chroot "$root" strace -f -y -e trace=fsync,fdatasync -p "$(<"$root/data/pid")" -o /syncs 2>/dev/null &
  tracer=$!
  sleep 1
  sql -e "RENAME TABLE $statement"
  kill -INT "$tracer"
  wait "$tracer" || true
  grep -c 'ddl_recovery.log>' "$root/syncs"
}

failed=0
expect() { # WHAT WANTED-ABOUT SEEN
  if [[ -n $3 ]] && (($3 >= $2 && $3 < $2 + 60)); then
    printf 'as seen: %s: %d\n' "$1" "$3"
  else
    printf 'CHANGED: %s: %s (not about %d)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}
for setting in 1 0; do
  expect "setting $setting, 200 renames, syncs of the DDL log" 600 "$(syncs "$setting")"
done
exit "$failed"
