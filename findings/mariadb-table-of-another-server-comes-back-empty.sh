#!/usr/bin/env bash
# MariaDB 11.8.9 (Debian 13): the stock, which is a table of another server, is an empty table of this one after a restore.
#
# Guess: a dump whose table is of an engine that the server does not have is refused (1286, "Unknown storage engine"), as the statement is by hand.
# Seen: the head of every dump sets SQL_MODE='NO_AUTO_VALUE_ON_ZERO', which takes NO_ENGINE_SUBSTITUTION away. On a server that nobody has told to
# load FederatedX (a new one) the table becomes one of InnoDB, with a warning, which the client does not show; the rows are no part of the dump.
# The load ends with 0. The shop finds no stock, writes into a table that nobody else sees, and SHOW CREATE TABLE still has the CONNECTION.
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
  mariadb-server=1:11.8.9+ds-0+deb13u1 mariadb-client=1:11.8.9+ds-0+deb13u1 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

serve() { # FOLDER OPTION...
  mkdir "$root/$1"
  chroot "$root" mariadb-install-db --no-defaults --user=root --datadir="/$1" --skip-test-db --force --skip-name-resolve \
    --auth-root-authentication-method=normal --innodb-use-native-aio=0 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
  chroot "$root" mariadbd --no-defaults --user=root --datadir="/$1" --socket=/run/socket --skip-networking --innodb-use-native-aio=0 "${@:2}" \
    >"$place/server.log" 2>&1 &
  server=$!
  for ((try = 0; try < 300; try++)); do
    [[ $(sql 'SELECT 7') != 7 ]] || break
    sleep 0.1
  done
}
sql() { # SQL
  chroot "$root" mariadb --no-defaults -uroot -S /run/socket --batch --skip-column-names -e "$1" 2>&1 || true
}

serve first --plugin-load-add=ha_federatedx
# The other server is this one, which is as good.
sql "CREATE DATABASE erp; CREATE TABLE erp.stock (id INT PRIMARY KEY, pieces INT); INSERT INTO erp.stock VALUES (1, 10);
  CREATE USER shop@localhost IDENTIFIED BY 'word'; GRANT ALL ON erp.* TO shop@localhost;
  CREATE SERVER erp FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'localhost', DATABASE 'erp', USER 'shop', PASSWORD 'word', SOCKET '/run/socket');
  CREATE DATABASE shop; USE shop; CREATE TABLE stock (id INT PRIMARY KEY, pieces INT) ENGINE=FEDERATED CONNECTION='erp/stock'"
expect 'pieces, before' 10 "$(sql 'SELECT pieces FROM shop.stock')"
chroot "$root" mariadb-dump --no-defaults -uroot -S /run/socket shop >"$place/shop.sql"
expect 'rows in the dump' 0 "$(grep -c 'INSERT INTO' "$place/shop.sql" || true)"
kill "$server"
wait "$server" || true

serve second
sql 'CREATE DATABASE shop'
expect 'the statement by hand' 1286 "$(sql "CREATE TABLE shop.x (id INT) ENGINE=FEDERATED CONNECTION='erp/stock'" | grep -o 1286)"
status=0
chroot "$root" mariadb --no-defaults -uroot -S /run/socket shop <"$place/shop.sql" >"$place/said" 2>&1 || status=$?
expect 'the load' 0 "$status"
expect 'what it says' '' "$(cat "$place/said")"
expect 'the engine' InnoDB "$(sql "SELECT engine FROM information_schema.tables WHERE table_schema = 'shop'")"
expect 'pieces, after' '' "$(sql 'SELECT pieces FROM shop.stock')"
expect 'its definition still says' "CONNECTION='erp/stock'" "$(sql 'SHOW CREATE TABLE shop.stock' | grep -o "CONNECTION='erp/stock'")"
exit "$failed"
