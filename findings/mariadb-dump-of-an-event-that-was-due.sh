#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): an event that was to happen once, tomorrow, is not in the restored database, and was not carried out either.
#
# Guess: a database of Monday's dump is loaded on Wednesday. An event for Tuesday (the end of a sale, the deletion of an account) is there
# again, and runs at once, or is refused.
# Seen: the server makes no event whose time has passed, and says so in a note, which the client does not show: the status is 0, the event is
# gone, and what it was to do is not done in the rows that came back. One with ON COMPLETION PRESERVE is there, and DISABLED.
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
  --event-scheduler=ON >"$place/server.log" 2>&1 &
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
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

events() { # DATABASE
  sql "SELECT EVENT_NAME, STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = '$1' ORDER BY 1" | tr '\t\n' '  '
}
sql "CREATE DATABASE shop; USE shop; CREATE TABLE prices (id INT PRIMARY KEY, price INT); INSERT INTO prices VALUES (1, 5);
  CREATE EVENT end_of_sale ON SCHEDULE AT NOW() + INTERVAL 20 SECOND DO UPDATE shop.prices SET price = 10;
  CREATE EVENT preserved ON SCHEDULE AT NOW() + INTERVAL 20 SECOND ON COMPLETION PRESERVE DO DO 1"
expect 'its events' 'end_of_sale ENABLED preserved ENABLED ' "$(events shop)"
dump --events shop >"$place/shop.sql"
for ((try = 0; try < 300; try++)); do
  [[ $(sql 'SELECT price FROM shop.prices') != 10 ]] || break
  sleep 0.2
done
expect 'the price when it has happened' 10 "$(sql 'SELECT price FROM shop.prices')"
# In the very second of its time it would be made, and carried out.
sleep 2
expect 'the load of the dump' 'status 0' "$(load shop <"$place/shop.sql")"
sleep 2
expect 'its events' 'preserved DISABLED ' "$(events shop)"
expect 'the price' 5 "$(sql 'SELECT price FROM shop.prices')"
exit "$failed"
