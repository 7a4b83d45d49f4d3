#!/usr/bin/env bash
# MariaDB 10.11.19 (Debian 12): the text of a view changes when a table of it is dropped.
#
# Guess: SHOW CREATE VIEW gives a view's text without the name of its schema, so that it can be made again in a schema of another
# name; mariadb-dump and everybody who copies a schema rely on it. A view whose table is gone is shown as it was before, with a
# warning.
# Seen: while its tables are there, columns are `base`.`id`. When a table is gone they are `shop`.`base`.`id`, and the FROM stays
# `base`: half of the text is of one schema. Made in a schema of another name, where the table is, it is refused with error 1054
# (unknown column `shop.base.id`), while the text from before is taken. With the table back, the text is the short one again.
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
"$root/sbin/mariadbd" "${options[@]}" --lc-messages-dir="$root/share/mysql" --socket="$place/socket" --pid-file="$place/pid" \
  --skip-networking >"$place/server.log" 2>&1 &
server=$!

as() { # USER SQL
  "$root/bin/mariadb" --no-defaults --socket="$place/socket" --user="$1" --batch --skip-column-names -e "$2" 2>&1
}
for ((try = 0; try < 300; try++)); do
  as root 'SELECT 1' >/dev/null && break
  sleep 0.1
done

failed=0
expect() { # WHAT WANTED SEEN; nothing wanted: nothing is to be said
  if [[ $3 == *"$2"* && (-n $2 || -z $3) ]]; then
    printf 'as seen: %s: %s\n' "$1" "$(tail -n 1 <<<"${3:-done}")"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-done}" "$2"
    failed=1
  fi
}

printf 'server %s\n' "$(as root 'SELECT VERSION()')"
as root 'CREATE DATABASE shop; CREATE DATABASE copy; CREATE TABLE shop.base (id INT); CREATE TABLE copy.base (id INT);
  USE shop; CREATE VIEW v AS SELECT id FROM base WHERE id > 1'
text() { as root 'USE shop; SHOW CREATE VIEW v' | cut -f 2; }
again() { as root "USE copy; $1" || true; } # TEXT
before=$(text)
# shellcheck disable=SC2016 # The server's own quotes, in all of these.
expect 'with its table' 'select `base`.`id` AS `id` from `base` where `base`.`id` > 1' "$before"
as root 'DROP TABLE shop.base'
torn=$(text)
# shellcheck disable=SC2016
expect 'without it' 'select `shop`.`base`.`id` AS `id` from `base` where `shop`.`base`.`id` > 1' "$torn"
expect 'that text in another schema' "ERROR 1054 (42S22) at line 1: Unknown column 'shop.base.id'" "$(again "$torn")"
expect 'the text from before there' '' "$(again "$before")"
as root 'CREATE TABLE shop.base (id INT)'
expect 'with its table back' "$before" "$(text)"
exit "$failed"
