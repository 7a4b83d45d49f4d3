#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): after a dump and its load the shop stands in the next street.
#
# Guess: a dump brings every number back as it was stored.
# Seen: the server writes a FLOAT with six digits, and mariadb-dump writes what the server says: a longitude of 105.854444 comes back as 105.854,
# some 46 m away, and 16777216 bytes as 16777200. The status is 0. Only the first load changes something: a dump of what was loaded
# is the same text, so that a comparison of two dumps finds nothing. CHECKSUM TABLE does. A DOUBLE comes back whole.
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
  >"$place/server.log" 2>&1 &
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

sql "CREATE DATABASE shop; USE shop; CREATE TABLE places (id INT PRIMARY KEY, longitude FLOAT, size FLOAT, exact DOUBLE);
  INSERT INTO places VALUES (1, 105.854444, 16777216, 105.854444)"
dump --skip-comments shop >"$place/first.sql"
sql 'CREATE DATABASE back'
expect 'the load' 'status 0' "$(load back <"$place/first.sql")"
value='SELECT ROUND(longitude + 0e0, 6), size + 0e0, exact FROM shop.places'
expect 'stored before' $'105.854446\t16777216\t105.854444' "$(sql "$value")"
expect 'stored after' $'105.853996\t16777200\t105.854444' "$(sql "${value/shop/back}")"
expect 'as the server shows them' $'105.854\t16777200\n105.854\t16777200' \
  "$(sql 'SELECT longitude, size FROM shop.places; SELECT longitude, size FROM back.places')"
dump --skip-comments back >"$place/second.sql"
expect 'a dump of both' equal "$(cmp -s "$place/first.sql" "$place/second.sql" && echo equal || echo different)"
expect 'their checksums' 2 "$(sql 'CHECKSUM TABLE shop.places, back.places' | cut -f 2 | sort -u | wc -l)"
exit "$failed"
