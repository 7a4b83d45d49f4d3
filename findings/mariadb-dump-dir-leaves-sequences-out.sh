#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): a folder that `mariadb-dump --dir` wrote lacks the sequences, and what the tables need of them.
#
# Guess: `mariadb-dump --dir=FOLDER --databases D` puts all it dumps into the folder, and `mariadb-import --dir=FOLDER` makes the
# database of it again.
# Seen: the folder has the tables, triggers and views. Sequences are written to the standard output, with status 0 and without a word;
# so are events and routines where they are asked for. A cron job that throws the output away has a backup without them. A table
# whose default draws from a sequence is in the folder, and an empty server refuses it: the sequence does not exist.
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
  mariadb-server=1:11.8.9+ds-0+deb13u1 mariadb-client=1:11.8.9+ds-0+deb13u1 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == *"$2"* ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

install -d "$root/run/mysqld"
# As root, so that it may write into the folder of a dump.
chroot "$root" mariadbd --user=root >"$place/server.log" 2>&1 &
server=$!
for ((try = 0; try < 300; try++)); do
  chroot "$root" mariadb -e 'SELECT 1' >/dev/null 2>&1 && break
  sleep 0.1
done

sql() { # SQL
  chroot "$root" mariadb --batch --skip-column-names -e "$1" 2>&1 || true
}
printf 'server %s\n' "$(sql 'SELECT VERSION()')"

sql "CREATE DATABASE shop; USE shop; CREATE SEQUENCE numbers START 500;
  CREATE TABLE invoices (id BIGINT PRIMARY KEY DEFAULT NEXTVAL(numbers), total INT); INSERT INTO invoices VALUES (1, 10);
  CREATE FUNCTION tax(x INT) RETURNS INT DETERMINISTIC RETURN x * 2;
  CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO SELECT 1"
mkdir "$root/root/out"
chroot "$root" mariadb-dump --dir=/root/out --databases shop --routines --events >"$place/stdout"
expect 'in the folder' 'invoices.sql invoices.txt' "$(cd "$root/root/out/shop" && echo *)"
expect 'anything of the sequence in the folder' 'none' "$(grep -rl 'CREATE SEQUENCE' "$root/root/out" || echo none)"
# shellcheck disable=SC2016 # Backticks of SQL.
for what in 'CREATE SEQUENCE `numbers`' 'FUNCTION `tax`' 'EVENT `nightly`'; do
  expect "on the standard output" "$what" "$(cat "$place/stdout")"
done
sql 'DROP DATABASE shop'
expect 'the folder alone, on a server without the database' "'shop.numbers' doesn't exist" "$(chroot "$root" mariadb-import --dir=/root/out 2>&1 || true)"
exit "$failed"
