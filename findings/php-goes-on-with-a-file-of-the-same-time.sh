#!/usr/bin/env bash
# Debian 13, PHP-FPM 8.4.27: a clean file of the same time is in place of the hacked one, and the hacked one goes on.
#
# Guess: with opcache.validate_timestamps on, as it is by default, another file under the same name is noticed after two seconds.
# Seen: the cache compares the time of the last change, in whole seconds, and nothing else: neither the size nor which file it is. Whoever
# changes a page of a site takes care to give it the old time again (`touch -r`), and a restore gives every file the time that it had in the backup. So
# the folder is exchanged, every comparison of files says that the site is clean, and PHP serves what was there before, until somebody restarts or
# resets it, or something touches the file.
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
  php8.4-fpm=8.4.27-1~deb13u1 php8.4-opcache=8.4.27-1~deb13u1 libfcgi-bin \
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

mkdir -p "$root/run/php" "$root/srv/site" "$root/srv/restored"
# shellcheck disable=SC2016 # PHP's own dollar.
printf '<?php $more = true; echo "hacked\n";\n' >"$root/srv/site/index.php"
printf '<?php echo "clean\n";\n' >"$root/srv/restored/index.php"
touch -d '2026-01-01 12:00:00 UTC' "$root/srv/site/index.php" "$root/srv/restored/index.php"
chroot "$root" php-fpm8.4 --nodaemonize >"$place/log" 2>&1 &
server=$!
for ((try = 0; try < 100; try++)); do
  [[ ! -S $root/run/php/php8.4-fpm.sock ]] || break
  sleep 0.1
done
page() {
  chroot "$root" env -i PATH=/usr/bin SCRIPT_FILENAME=/srv/site/index.php REQUEST_METHOD=GET \
    cgi-fcgi -bind -connect /run/php/php8.4-fpm.sock </dev/null | tail -n 1
}
expect 'before' hacked "$(page)"
mv "$root/srv/site" "$root/srv/before"
mv "$root/srv/restored" "$root/srv/site"
sleep 5
expect 'the file' clean "$(grep -o clean "$root/srv/site/index.php")"
expect 'the page, 5 s after the exchange' hacked "$(page)"
touch -d '2026-01-01 12:00:01 UTC' "$root/srv/site/index.php"
sleep 3
expect 'the page, once the file has another time' clean "$(page)"
exit "$failed"
