#!/usr/bin/env bash
# Debian sid, MariaDB 1:11.8.9+ds-4 and PHP 8.4.27-1: a new server and PHP of the same suite disagree about where localhost is.
#
# Guess: the packages of one suite agree. A site with DB_HOST=localhost, or PDO's `mysql:host=localhost`, reaches a MariaDB that was
# just installed.
# Seen: since 1:11.8.9+ds-3 the server listens at /run/mariadbd/mysqld.sock (its data lie in /var/lib/mariadb since 1:11.8.6-5), and
# nothing makes /run/mysqld unless mariadb-server-compat is installed, which this installation does not bring. The client `mariadb` knows the new
# place. `mysqli.default_socket` and `pdo_mysql.default_socket` of Debian's PHP are compiled in as /var/run/mysqld/mysqld.sock:
# `localhost` is error 2002, "No such file or directory", while 127.0.0.1 reaches the server. With a link from /run/mysqld to
# /run/mariadbd, which is what the compat package makes, localhost works again.
#
# Root, debootstrap, a network for packages; a chroot of sid, half a GB. Fails when the behaviour, or a version, is another one.
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

debootstrap --variant=minbase sid "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
inside() { # COMMAND...
  chroot "$root" "$@"
}
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
inside env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
  mariadb-server=1:11.8.9+ds-4 mariadb-client=1:11.8.9+ds-4 php8.4-cli=8.4.27-1 php8.4-mysql=8.4.27-1 >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == *"$2"* ]]; then
    printf 'as seen: %s: %s\n' "$1" "$(tail -n 1 <<<"$3")"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

# What the unit does: the folder of the socket, and the server with its own configuration.
install -d -o "$(inside id -u mysql)" -g "$(inside id -g mysql)" "$root/run/mariadbd"
chroot "$root" mariadbd --user=mysql >"$place/server.log" 2>&1 &
server=$!
for ((try = 0; try < 300; try++)); do
  inside mariadb -e 'SELECT 1' >/dev/null 2>&1 && break
  sleep 0.1
done

ask() { # DSN-PART
  # shellcheck disable=SC2016 # PHP's own dollar.
  inside php -d display_errors=1 -r 'try { echo (new PDO("mysql:$argv[1]", "site", "of-the-site"))->query("SELECT 7")->fetchColumn(); } catch (PDOException $error) { echo $error->getMessage(); }' "$1" 2>&1
}
inside mariadb -e "CREATE USER site@localhost IDENTIFIED BY 'of-the-site'; CREATE USER site@'127.0.0.1' IDENTIFIED BY 'of-the-site'"
printf 'server %s\n' "$(inside mariadb -N -e 'SELECT VERSION()')"
expect 'the client finds the server' '/run/mariadbd/mysqld.sock' "$(inside mariadb -N -e 'SELECT @@socket')"
expect 'its data lie elsewhere too' '/var/lib/mariadb/' "$(inside mariadb -N -e 'SELECT @@datadir')"
expect 'PHP looks for localhost here' '/var/run/mysqld/mysqld.sock' "$(inside php -r 'echo ini_get("pdo_mysql.default_socket"), " ", ini_get("mysqli.default_socket");')"
expect 'and does not reach it' 'SQLSTATE[HY000] [2002] No such file or directory' "$(ask host=localhost)"
expect 'by its address it does' '7' "$(ask host=127.0.0.1)"
ln -s mariadbd "$root/run/mysqld"
expect 'and through a link of the old name' '7' "$(ask host=localhost)"
exit "$failed"
