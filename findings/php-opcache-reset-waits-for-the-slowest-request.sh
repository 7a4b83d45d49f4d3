#!/usr/bin/env bash
# Debian 13, PHP-FPM 8.4.27: after opcache_reset() no site of the FPM has a code cache until the slowest running request has ended.
#
# Guess: as the manual says, a reset empties the cache, and each script is compiled once more when it is next asked for.
# Seen: the reset is only put down as pending. As long as a request runs that began before it, in any pool of the same FPM, it stays so, and
# meanwhile the cache takes in nothing: every request of every site compiles all of its scripts, however often it is asked for. One export or
# upload of some minutes is enough; opcache.force_restart_timeout (180 s) ends it. A page that calls opcache_reset() is told `true` at once.
# Whoever resets the cache after a deployment sees slow pages then and looks for the fault in the deployment.
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
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends php8.4-fpm=8.4.27-1~deb13u1 libfcgi-bin \
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

for site in shop blog; do
  mkdir -p "$root/srv/$site"
  # shellcheck disable=SC2016 # PHP's variables, not the shell's
  printf '%s\n' '<?php $status = opcache_get_status(true);' \
    'echo isset($status["scripts"][__FILE__]) ? "cached" : "compiled", $status["restart_pending"] ? ", pending" : "";' >"$root/srv/$site/page.php"
done
printf '%s\n' '<?php sleep(6); echo "slow";' >"$root/srv/blog/slow.php"
printf '%s\n' '<?php echo opcache_reset() ? "true" : "false";' >"$root/srv/shop/reset.php"
# What was written in the last two seconds is not taken into the cache.
find "$root/srv" -name '*.php' -exec touch -d '1 hour ago' {} +
{
  printf '[global]\nerror_log = /tmp/fpm.log\ndaemonize = no\n'
  for site in shop blog; do
    printf '[%s]\nuser = www-data\ngroup = www-data\nlisten = /tmp/%s.sock\npm = static\npm.max_children = 2\n' "$site" "$site"
  done
} >"$root/etc/fpm.conf"
chroot "$root" php-fpm8.4 --fpm-config /etc/fpm.conf >"$place/fpm" 2>&1 &
server=$!
for ((try = 0; try < 100; try++)); do
  [[ ! -S $root/tmp/blog.sock ]] || break
  sleep 0.1
done

ask() { # SITE SCRIPT
  chroot "$root" env REQUEST_METHOD=GET SCRIPT_FILENAME="/srv/$1/$2" cgi-fcgi -bind -connect "/tmp/$1.sock" | sed '1,/^\r$/d'
}
often() { # SITE; the answer to the third of three requests
  ask "$1" page.php >/dev/null
  ask "$1" page.php >/dev/null
  ask "$1" page.php
}

expect 'a page of the shop, asked for thrice' cached "$(often shop)"
ask blog slow.php >"$place/slow" &
slow=$!
sleep 1
expect 'a reset while a page of the blog is made' true "$(ask shop reset.php)"
expect 'a page of the shop then, asked for thrice' 'compiled, pending' "$(often shop)"
expect 'a page of the blog then, asked for thrice' 'compiled, pending' "$(often blog)"
sleep 2
expect 'a page of the shop two seconds later' 'compiled, pending' "$(often shop)"
wait "$slow"
expect 'what the slow page says' slow "$(cat "$place/slow")"
expect 'a page of the shop when the slow one has ended' cached "$(often shop)"
exit "$failed"
