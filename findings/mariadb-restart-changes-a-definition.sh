#!/usr/bin/env bash
# MariaDB 10.11.19 (Debian 12): an orderly restart changes what SHOW CREATE TABLE and a dump say of a table nobody touched.
#
# Guess: InnoDB keeps the next value of AUTO_INCREMENT on the disk (since 10.2), so that a table is shown before and after a restart as
# the same.
# Seen: 50 rows by INSERT ... SELECT reserve numbers in powers of two: AUTO_INCREMENT=64. After the restart it is 51: what was
# reserved and not used is forgotten. A table filled row by row says the same on both sides. So two dumps of the same rows differ by a
# line, and whoever tells tables apart by their definition takes an equal one for a changed one.
#
# Debian 12, as root or not; needs apt, a network for packages, no server. Fails when the behaviour is another one.
set -euo pipefail

version=1:10.11.19-0+deb12u1
place=$(mktemp -d)
server=
# shellcheck disable=SC2317 # The trap calls it.
end() {
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$place"
}
trap end EXIT

mkdir "$place/debs" "$place/root"
(cd "$place/debs" && apt-get -qq -o APT::Sandbox::User=root download "mariadb-server-core=$version" "mariadb-client-core=$version" "libmariadb3=$version" \
  libaio1 libncurses6 libnuma1 liburing2)
for deb in "$place"/debs/*.deb; do
  dpkg-deb -x "$deb" "$place/root"
done
root=$place/root/usr
LD_LIBRARY_PATH=$(printf '%s:' "$root"/lib/*-linux-gnu "$place"/root/lib/*-linux-gnu)
export LD_LIBRARY_PATH

options=(--no-defaults --datadir="$place/data" --user="$(id -un)")
"$root/bin/mariadb-install-db" "${options[@]}" --basedir="$root" --auth-root-authentication-method=normal --skip-test-db \
  --debug-no-sync=1 >"$place/install.log" 2>&1 || { cat "$place/install.log" >&2; exit 1; }
start() {
  "$root/sbin/mariadbd" "${options[@]}" --lc-messages-dir="$root/share/mysql" --socket="$place/socket" --pid-file="$place/pid" \
    --plugin-dir="$root/lib/mysql/plugin" --skip-networking >>"$place/server.log" 2>&1 &
  server=$!
  for ((try = 0; try < 300; try++)); do
    as root 'SELECT 1' >/dev/null && return
    sleep 0.1
  done
}

as() { # USER SQL
  "$root/bin/mariadb" --no-defaults --socket="$place/socket" --user="$1" --batch --skip-column-names -e "$2" 2>&1
}
failed=0
expect() { # WHAT WANTED SEEN; nothing wanted: nothing is to be said
  if [[ $3 == *"$2"* && (-n $2 || -z $3) ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-done}" "$2"
    failed=1
  fi
}

start
printf 'server %s\n' "$(as root 'SELECT VERSION()')"
rows=$(printf '(%s),' {1..25})
as root "CREATE DATABASE d; CREATE TABLE d.bulk (id INT PRIMARY KEY AUTO_INCREMENT, v INT) ENGINE=InnoDB;
  CREATE TABLE d.single LIKE d.bulk; CREATE TABLE d.source (v INT) ENGINE=InnoDB;
  INSERT INTO d.source VALUES ${rows%,}; INSERT INTO d.source SELECT v FROM d.source;
  INSERT INTO d.bulk (v) SELECT v FROM d.source; INSERT INTO d.single (v) VALUES (1); INSERT INTO d.single (v) VALUES (2)"
expect 'filled in one statement, it reserves' 'AUTO_INCREMENT=64' "$(as root 'SHOW CREATE TABLE d.bulk')"
expect 'filled row by row' 'AUTO_INCREMENT=3' "$(as root 'SHOW CREATE TABLE d.single')"
kill "$server"
wait "$server" || true
start
expect 'the first, after an orderly restart' 'AUTO_INCREMENT=51' "$(as root 'SHOW CREATE TABLE d.bulk')"
expect 'the second' 'AUTO_INCREMENT=3' "$(as root 'SHOW CREATE TABLE d.single')"
exit "$failed"
