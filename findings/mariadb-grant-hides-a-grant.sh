#!/usr/bin/env bash
# MariaDB 10.11.19 (Debian 12): a GRANT can take rights away from the account that it is for.
#
# Guess: an account has ALL PRIVILEGES on `wp_site`.*, as panels write it, with `_` as it is. Somebody adds a right and writes the
# name the careful way: GRANT SELECT ON `wp\_site`.* TO the account WITH GRANT OPTION. The account has that right more.
# Seen: it has that right alone. SHOW GRANTS lists both lines; INSERT and CREATE TABLE, which went before, are refused with
# error 1142. `wp_site` is a pattern and `wp\_site` is a name: the server takes the most exact entry that fits and looks no further.
# REVOKE of the second brings the rights of the first back.
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
as root "CREATE DATABASE wp_site; CREATE USER site@localhost; GRANT ALL PRIVILEGES ON \`wp_site\`.* TO site@localhost"
expect 'with the first grant it makes a table and fills it' '' "$(as site 'CREATE TABLE wp_site.t (a INT); INSERT INTO wp_site.t VALUES (1)')"
as root "GRANT SELECT ON \`wp\\_site\`.* TO site@localhost WITH GRANT OPTION"
grants=$(as root 'SHOW GRANTS FOR site@localhost')
# shellcheck disable=SC2016 # The server's own quotes.
expect 'SHOW GRANTS lists the first' 'GRANT ALL PRIVILEGES ON `wp_site`.*' "$grants"
# shellcheck disable=SC2016
expect 'and the second' 'GRANT SELECT ON `wp\\_site`.*' "$grants"
expect 'it reads' '1' "$(as site 'SELECT a FROM wp_site.t' || true)"
expect 'it writes no more' 'ERROR 1142' "$(as site 'INSERT INTO wp_site.t VALUES (2)' || true)"
expect 'it makes no more tables' 'ERROR 1142' "$(as site 'CREATE TABLE wp_site.u (a INT)' || true)"
as root "REVOKE ALL PRIVILEGES, GRANT OPTION FROM site@localhost" >/dev/null 2>&1 || true
as root "GRANT ALL PRIVILEGES ON \`wp_site\`.* TO site@localhost"
expect 'without the second it writes again' '' "$(as site 'INSERT INTO wp_site.t VALUES (3)' || true)"
exit "$failed"
