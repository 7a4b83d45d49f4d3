#!/usr/bin/env bash
# Debian 13, PHP 8.4.27: PharData::extractTo() makes an empty file of every link of a tar, leaves empty folders out, and returns true.
#
# Guess: what GNU tar wrote of a site is unpacked as it was, or an exception says what is not.
# Seen: of two names of one file the second is a file of 0 bytes; a symbolic link is one of 0 bytes too, mode 0777; a folder without files is
# not made. There is no exception and no warning, and the return is true. Sites have all three: `current` and `uploads` are links, hard links come
# from deduplication and rsync --link-dest, empty folders are caches that a program wants to find.
#
# Root, debootstrap, a network for packages; a chroot of trixie, a third of a GB. Fails when the behaviour, or a version, is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
root=$place/root
trap 'rm -rf --one-file-system "$place"' EXIT

debootstrap --variant=minbase trixie "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
  php8.4-cli=8.4.27-1~deb13u1 \
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

mkdir -p "$root/srv/site/cache" "$root/root/back"
printf 'page\n' >"$root/srv/site/a.php"
ln "$root/srv/site/a.php" "$root/srv/site/b.php"
ln -s a.php "$root/srv/site/index.php"
chroot "$root" tar --sort=name -C /srv -cf /root/site.tar site
# shellcheck disable=SC2016 # PHP's own dollar.
expect 'extractTo' 'bool(true)' "$(chroot "$root" php -d error_reporting=-1 -d display_errors=1 \
  -r 'var_dump((new PharData("/root/site.tar"))->extractTo("/root/back"));' 2>&1)"
site=$root/root/back/site
expect 'the file' 5 "$(stat -c %s "$site/a.php")"
expect 'its other name' '0 regular empty file' "$(stat -c '%s %F' "$site/b.php")"
expect 'the link' '0 regular empty file 777' "$(stat -c '%s %F %a' "$site/index.php")"
expect 'the empty folder' none "$([[ -e $site/cache ]] && echo there || echo none)"
mkdir "$root/root/right"
chroot "$root" tar -C /root/right -xf /root/site.tar
expect 'the other name, by tar' 5 "$(stat -c %s "$root/root/right/site/b.php")"
exit "$failed"
