#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13) to 10.11.18 (Debian 12): a licence until 2099 is one until the year 0, and the load ends with 0.
#
# Guess: a TIMESTAMP that the old server cannot hold makes the load fail.
# Seen: since 11.5 a TIMESTAMP reaches to 2106. Its definition in a dump is the same as ever, so the old server takes the table; and the
# dump's own head takes the strict mode away (SQL_MODE='NO_AUTO_VALUE_ON_ZERO'), so that what is past 2038 becomes '0000-00-00 00:00:00' with a
# warning, which the client does not show. The status is 0, and the count of rows is right. Without that head the same row is refused (1292).
#
# Root, debootstrap, a network for packages; chroots of bookworm and trixie, half a GB each. Fails when the behaviour, or a version, is another one.
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

start() { # FOLDER SUITE PACKAGE...
  local folder=$place/$1 suite=$2
  shift 2
  debootstrap --variant=minbase "$suite" "$folder" "${MIRROR:-http://deb.debian.org/debian}" \
    >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
  printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"
  chmod 0755 "$folder/usr/sbin/policy-rc.d"
  chroot "$folder" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" \
    >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
  mkdir "$folder/data"
  chroot "$folder" mariadb-install-db --no-defaults --user=root --datadir=/data --skip-test-db --force --skip-name-resolve \
    --auth-root-authentication-method=normal --innodb-use-native-aio=0 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
  chroot "$folder" mariadbd --no-defaults --user=root --datadir=/data --socket=/data/socket --skip-networking --innodb-use-native-aio=0 \
    >>"$place/server.log" 2>&1 &
  servers+=("$!")
}
start old bookworm mariadb-server-core=1:10.11.18-0+deb12u1 mariadb-client=1:10.11.18-0+deb12u1
start new trixie mariadb-server-core=1:11.8.9+ds-0+deb13u1 mariadb-client=1:11.8.9+ds-0+deb13u1

sql() { # SERVER SQL
  chroot "$place/$1" mariadb --no-defaults -uroot -S /data/socket --batch --skip-column-names -e "$2" 2>&1 || true
}
dump() { # SERVER ARGUMENT...
  local from=$1
  shift
  chroot "$place/$from" mariadb-dump --no-defaults -uroot -S /data/socket "$@"
}
load() { # SERVER DATABASE; a dump from its standard input; what was said, and the status
  local status=0
  chroot "$place/$1" mariadb --no-defaults -uroot -S /data/socket "$2" 2>&1 || status=$?
  printf 'status %d' "$status"
}
for server in old new; do
  for ((try = 0; try < 300; try++)); do
    [[ $(sql "$server" 'SELECT 7') != 7 ]] || break
    sleep 0.1
  done
  printf '%s server %s\n' "$server" "$(sql "$server" 'SELECT VERSION()')"
done

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == *"$2"* ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

# A collation that both of them know, as WordPress asks for one.
sql new "CREATE DATABASE shop; USE shop; CREATE TABLE licences (id INT PRIMARY KEY, until TIMESTAMP NOT NULL) COLLATE utf8mb4_unicode_520_ci;
  INSERT INTO licences VALUES (1, '2099-12-31 12:00:00'), (2, '2027-12-31 12:00:00')"
dump new shop >"$place/shop.sql"
sql old 'CREATE DATABASE back'
expect 'loaded by the old server' 'status 0' "$(load old back <"$place/shop.sql")"
expect 'its rows' 2 "$(sql old 'SELECT COUNT(*) FROM back.licences')"
expect 'until 2099' '0000-00-00 00:00:00' "$(sql old 'SELECT until FROM back.licences WHERE id = 1')"
expect 'until 2027' '2027-12-31 12:00:00' "$(sql old 'SELECT until FROM back.licences WHERE id = 2')"
sql old 'DROP DATABASE back; CREATE DATABASE back'
# shellcheck disable=SC2016 # The server's own quotes.
expect 'without the mode of its head' 'ERROR 1292 (22007)' "$(sed 's/, SQL_MODE=.NO_AUTO_VALUE_ON_ZERO. / /' "$place/shop.sql" | load old back)"
exit "$failed"
