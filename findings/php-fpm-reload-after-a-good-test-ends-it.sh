#!/usr/bin/env bash
# Debian 13, PHP-FPM 8.4.27: the test is passed, and the reload ends the FPM of every site.
#
# Guess: `php-fpm -t` refuses a pool that a reload refuses; and a reload that is refused leaves the running FPM as it is, as nginx does.
# Seen: the test looks for users, logs and folders, and never at the socket. A pool file of an older day whose `listen` is /var/run/php/php8.4-fpm.sock
# (Debian's own name of it for years) is another address than /run/php/php8.4-fpm.sock to the test, and the same socket to the start: "Another FPM
# instance seems to already listen". So is one with a socket in a folder that is not there, with an address that this machine
# does not have, or with the number of root in place of a name. The reload (SIGUSR2, which is what the unit's ExecReload sends, so that it
# always succeeds) executes FPM anew, and that ends with 78: every site of the machine answers 502 because of one file.
#
# Root, debootstrap, a network for packages; a chroot of trixie, a third of a GB. Fails when the behaviour, or a version, is another one.
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
  php8.4-fpm=8.4.27-1~deb13u1 \
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

pools=$root/etc/php/8.4/fpm/pool.d
mkdir -p "$root/run/php"
test_of() { # its status
  local status=0
  chroot "$root" php-fpm8.4 -t >"$place/said" 2>&1 || status=$?
  printf '%d' "$status"
}
# A running FPM meets one more pool.
meet() { # WHAT LISTEN LAST-WORD [LINE]
  local status=0 try
  rm -f "$pools/restored.conf"
  chroot "$root" php-fpm8.4 --nodaemonize >"$place/said" 2>&1 &
  server=$!
  for ((try = 0; try < 100; try++)); do
    [[ ! -S $root/run/php/php8.4-fpm.sock ]] || break
    sleep 0.1
  done
  sleep 0.5
  : >"$root/var/log/php8.4-fpm.log"
  printf '%s\n' '[restored]' 'user = www-data' 'group = www-data' 'pm = static' 'pm.max_children = 1' "listen = $2" "${4:-}" >"$pools/restored.conf"
  expect "$1: the test" 0 "$(test_of)"
  kill -USR2 "$server"
  sleep 1.5
  expect "$1: the log" yes "$(grep -qF "$3" "$root/var/log/php8.4-fpm.log" && echo yes || echo no)"
  # It is waited for at once where it has ended.
  kill "$server" 2>/dev/null || true
  wait "$server" || status=$?
  server=
  rm -f "$root/run/php/php8.4-fpm.sock"
  expect "$1: how FPM ended" "${5:-78}" "$status"
}
meet 'a socket of its own' /run/php/restored.sock 'ready to handle connections' '' 0
meet 'the same socket by its old name' /var/run/php/php8.4-fpm.sock 'Another FPM instance seems to already listen on /var/run/php/php8.4-fpm.sock'
meet 'a folder that is not there' /run/php-shop/fpm.sock "unable to bind listening socket for address '/run/php-shop/fpm.sock'"
meet 'an address of another machine' 192.0.2.7:9000 "unable to bind listening socket for address '192.0.2.7:9000'"
meet 'a user by its number' /run/php/restored.sock 'please specify user and group other than root' 'user = 0'
exit "$failed"
