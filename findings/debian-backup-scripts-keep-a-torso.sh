#!/usr/bin/env bash
# Debian 13, backupninja 1.2.2-1 and automysqlbackup 2.6+debian.4-4 with MariaDB 11.8.9: one broken view, and there is no backup any more.
#
# Guess: where a dump fails, a script that is called every night says so, and the last good dump stays.
# Seen: a view whose table was dropped (what is left of many an uninstalled plugin) makes mariadb-dump end before the first table, error 1356.
# backupninja has one file a database, and writes into it what came: yesterday's good dump is replaced by one of no table. It says
# so in its log, and ends with 1. automysqlbackup writes the same torso under today's name, and ends with 1. Both files unpack without an
# error: only the line "Dump completed" is missing from them. Every later night is the same, until somebody reads the mail of cron.
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
  ! mountpoint -q "$root/proc" || umount "$root/proc"
  rm -rf --one-file-system "$place"
}
trap end EXIT

debootstrap --variant=minbase trixie "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
  mariadb-server=1:11.8.9+ds-0+deb13u1 mariadb-client=1:11.8.9+ds-0+deb13u1 backupninja=1.2.2-1 automysqlbackup=2.6+debian.4-4 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
mount -t proc proc "$root/proc"

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

install -d "$root/run/mysqld"
chroot "$root" mariadbd --user=root >"$place/server.log" 2>&1 &
server=$!
for ((try = 0; try < 300; try++)); do
  chroot "$root" mariadb -e 'SELECT 1' >/dev/null 2>&1 && break
  sleep 0.1
done

cat >"$root/etc/backup.d/20.mysql" <<'CONFIGURATION'
sqldump = yes
hotcopy = no
compress = yes
databases = shop
backupdir = /var/backups/mysql
configfile = /etc/mysql/debian.cnf
CONFIGURATION
chmod 0600 "$root/etc/backup.d/20.mysql"

run() { # PROGRAM ARGUMENT...; prints its exit status
  local status=0
  chroot "$root" "$@" >"$place/said" 2>&1 || status=$?
  printf '%d' "$status"
}
tables() { # FILE...
  zcat "$@" | grep -c '^CREATE TABLE' || true
}
ninja=$root/var/backups/mysql/sqldump/shop.sql.gz
auto() {
  tables "$root"/var/lib/automysqlbackup/daily/shop/*.sql.gz
}

chroot "$root" mariadb -e 'CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY); INSERT INTO orders VALUES (1);
  CREATE TABLE plugin (id INT PRIMARY KEY); CREATE VIEW report AS SELECT id FROM plugin'
expect 'backupninja, the night before' 0 "$(run backupninja -n)"
expect 'tables in its dump' 2 "$(tables "$ninja")"
expect 'automysqlbackup, the night before' 0 "$(run automysqlbackup)"
expect 'tables in its dump' 2 "$(auto)"

chroot "$root" mariadb -e 'DROP TABLE shop.plugin'
rm -rf "$root/var/lib/automysqlbackup/daily/shop"
expect 'backupninja, with a broken view' 1 "$(run backupninja -n)"
expect 'what it says of it' yes "$(grep -q 'Failed to dump mysql databases shop' "$root/var/log/backupninja.log" && echo yes || echo no)"
expect 'tables in the only dump that there is' 0 "$(tables "$ninja")"
expect 'the file unpacks' yes "$(gzip -t "$ninja" && echo yes)"
expect 'automysqlbackup, with a broken view' 1 "$(run automysqlbackup)"
expect 'tables in its dump' 0 "$(auto)"
expect 'end marks in both' 0 "$(zcat "$ninja" "$root"/var/lib/automysqlbackup/daily/shop/*.sql.gz | grep -c 'Dump completed' || true)"
exit "$failed"
