#!/usr/bin/env bash
# Debian 13, borgmatic 1.9.14-0.1 with MariaDB 11.8.9: a restore of a database deletes its functions, procedures and events, and ends with 0.
#
# Guess: what a backup does not hold, a restore leaves as it is.
# Seen: borgmatic dumps a database without routines and events, unless somebody asks for them in `options`, and with --add-drop-database: the restore
# drops the live database, and brings tables, views and triggers back. The routines that stood there a moment ago, and were in no backup, are
# gone. Where a view calls one of them the backup ends with 0 as well, and its restore ends with 1 (1305), with the tables and without the
# view.
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
  mariadb-server-core=1:11.8.9+ds-0+deb13u1 mariadb-client=1:11.8.9+ds-0+deb13u1 borgmatic=1.9.14-0.1 borgbackup=1.4.0-5 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

mount -t proc proc "$root/proc"

mkdir "$root/data"
chroot "$root" mariadb-install-db --no-defaults --user=root --datadir=/data --skip-test-db --force --skip-name-resolve \
    --auth-root-authentication-method=normal --innodb-use-native-aio=0 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
chroot "$root" mariadbd --no-defaults --user=root --datadir=/data --socket=/data/socket --skip-networking --innodb-use-native-aio=0 \
  >"$place/server.log" 2>&1 &
server=$!

sql() { # SQL
  chroot "$root" mariadb --no-defaults -uroot -S /data/socket --batch --skip-column-names -e "$1" 2>&1 || true
}
for ((try = 0; try < 300; try++)); do
  [[ $(sql 'SELECT 7') != 7 ]] || break
  sleep 0.1
done
printf 'server %s\n' "$(sql 'SELECT VERSION()')"

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

mkdir -p "$root/srv/site"
cat >"$root/root/borgmatic.yaml" <<'CONFIGURATION'
source_directories:
    - /srv/site
repositories:
    - path: /root/repository
mariadb_databases:
    - name: shop
      options: --socket=/data/socket
      restore_options: --socket=/data/socket
      list_options: --socket=/data/socket
encryption_passphrase: of-the-repository
CONFIGURATION
borgmatic() { # ACTION ARGUMENT...; its status
  local status=0
  chroot "$root" borgmatic -c /root/borgmatic.yaml "$@" >"$place/said" 2>&1 || status=$?
  printf '%d' "$status"
}
have() { # what there is beside tables, and how many rows
  sql "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'shop' UNION
    SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'shop' UNION
    SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop' ORDER BY 1; SELECT COUNT(*) FROM shop.orders" | tr '\n' ' '
}
sql "CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY); INSERT INTO orders VALUES (1);
  CREATE FUNCTION tax(x INT) RETURNS INT DETERMINISTIC RETURN x * 2; CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DO DO 1;
  CREATE TRIGGER watch BEFORE INSERT ON orders FOR EACH ROW SET NEW.id = NEW.id"
expect 'its objects and rows' 'nightly tax watch 1 ' "$(have)"
expect 'a repository' 0 "$(borgmatic repo-create --encryption repokey)"
expect 'a backup' 0 "$(borgmatic create)"
expect 'its restore' 0 "$(borgmatic restore --archive latest)"
expect 'its objects and rows afterwards' 'watch 1 ' "$(have)"
sql 'USE shop; CREATE FUNCTION tax(x INT) RETURNS INT DETERMINISTIC RETURN x * 2; CREATE VIEW taxes AS SELECT tax(id) AS tax FROM orders'
expect 'a backup with a view that calls one' 0 "$(borgmatic create)"
expect 'its restore' 1 "$(borgmatic restore --archive latest)"
exit "$failed"
