#!/usr/bin/env bash
# Debian 13, tar 1.35+dfsg-3.1: a backup with a folder put in front of its names has every symbolic link broken.
#
# Guess: --transform changes the names of the members, as its manual page says ("transform file names").
# Seen: it changes where symbolic links lead to as well, unless the expression ends in `S`. `tar --transform 's,^,shop/,'`, the usual recipe
# for a folder in front, makes `current -> shop/releases/5` of `current -> releases/5`, inside of shop/, and even `uploads -> shop//srv/shared`
# of an absolute link: the site of the backup has neither its release nor its uploads. The status is 0, and a list of the names looks as it should. The
# same when such a backup is unpacked with it. --strip-components, and an expression for `./` alone, leave links as they are.
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
  tar=1.35+dfsg-3.1 \
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

mkdir -p "$root/srv/site/releases/5"
printf 'page\n' >"$root/srv/site/releases/5/index.php"
ln -s releases/5 "$root/srv/site/current"
ln -s /srv/shared "$root/srv/site/uploads"
pack() { # EXPRESSION; the status, and where the links lead to
  local status=0
  chroot "$root" tar -C /srv/site -cf /root/site.tar --transform "$1" current releases uploads || status=$?
  echo "status $status"
  chroot "$root" tar -tvf /root/site.tar | sed -n 's/.* \([^ ]* -> .*\)/\1/p'
}
expect 'packed' 'status 0 shop/current -> shop/releases/5 shop/uploads -> shop//srv/shared ' "$(pack 's,^,shop/,' | tr '\n' ' ')"
expect 'its names' 'shop/current shop/releases/ shop/releases/5/ shop/releases/5/index.php shop/uploads ' \
  "$(chroot "$root" tar -tf /root/site.tar | tr '\n' ' ')"
expect 'packed, with S' 'status 0 shop/current -> releases/5 shop/uploads -> /srv/shared ' "$(pack 's,^,shop/,S' | tr '\n' ' ')"
chroot "$root" tar -C /srv/site -cf /root/site.tar current releases uploads
mkdir "$root/root/back"
expect 'unpacked' 0 "$(chroot "$root" tar -C /root/back -xf /root/site.tar --transform 's,^,shop/,' && echo 0)"
expect 'the link of the release' shop/releases/5 "$(readlink "$root/root/back/shop/current")"
expect 'the link of the uploads' shop//srv/shared "$(readlink "$root/root/back/shop/uploads")"
exit "$failed"
