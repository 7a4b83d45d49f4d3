#!/usr/bin/env bash
# MariaDB 10.11.18 (Debian 12) to 11.8.9 (Debian 13): whoever never logged in is on no list any more, after a move that changed no row.
#
# Guess: FROM_UNIXTIME(0) is the first of January 1970, as the number 0 is to every program that keeps times as numbers.
# Seen: it is to 10.11, and NULL to 11.8, in every time zone; half a second later both agree. The columns are numbers, so that the dump loads with
# status 0 and both sides have the same rows. A view of those who were not there since 2020 has lost the ones with a 0, which is "never" to Drupal,
# Moodle and phpBB. A statement that writes such a date fails in strict mode with error 1292, "Truncated incorrect unixtime value: '0.0'", and
# writes NULL without it.
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
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

sql old "CREATE DATABASE forum COLLATE utf8mb4_unicode_520_ci; USE forum; SET NAMES utf8mb4 COLLATE utf8mb4_unicode_520_ci;
  CREATE TABLE members (id INT PRIMARY KEY, last_login INT UNSIGNED NOT NULL, removed_after DATETIME);
  INSERT INTO members (id, last_login) VALUES (1, 0), (2, 1500000000), (3, 1790000000);
  CREATE VIEW asleep AS SELECT id FROM members WHERE FROM_UNIXTIME(last_login) < '2020-01-01'"
sql new 'CREATE DATABASE forum'
expect 'the load' 'status 0' "$(dump old forum | load new forum)"
all='SELECT id, last_login FROM forum.members'
expect 'the rows' same "$([[ $(sql old "$all") == "$(sql new "$all")" ]] && echo same || echo different)"
asleep='SELECT GROUP_CONCAT(id ORDER BY id) FROM forum.asleep'
expect 'the view, 10.11' 1,2 "$(sql old "$asleep")"
expect 'the view, 11.8' 2 "$(sql new "$asleep")"
for zone in +00:00 +07:00 -05:00; do
  expect "FROM_UNIXTIME(0) at $zone, 10.11" 0 "$(sql old "SET time_zone = '$zone'; SELECT FROM_UNIXTIME(0) IS NULL")"
  expect "FROM_UNIXTIME(0) at $zone, 11.8" 1 "$(sql new "SET time_zone = '$zone'; SELECT FROM_UNIXTIME(0) IS NULL")"
done
expect 'half a second later, 11.8' '1970-01-01 00:00:00.5' "$(sql new "SET time_zone = '+00:00'; SELECT FROM_UNIXTIME(0.5)")"
update='UPDATE forum.members SET removed_after = FROM_UNIXTIME(last_login) + INTERVAL 5 YEAR'
expect 'a statement, 10.11' '' "$(sql old "$update")"
expect 'a statement, 11.8' "ERROR 1292 (22007) at line 1: Truncated incorrect unixtime value: '0.0'" "$(sql new "$update" | tail -n 1)"
exit "$failed"
