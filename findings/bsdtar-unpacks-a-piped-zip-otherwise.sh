#!/usr/bin/env bash
# Debian 13, libarchive-tools 3.7.4-4+deb13u1: the same zip, from a file and through a pipe, is two different sites.
#
# Guess: `curl ... | bsdtar -xf -`, which is what one takes bsdtar for, unpacks what `bsdtar -xf FILE` does.
# Seen: through a pipe it reads the heads in front of the members, and what a member is stands in the list at the end. So every symbolic link
# becomes a text file with the name of its target in it, and every program loses its right to be run. The status is 0 both times, and nothing is
# said.
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
  libarchive-tools=3.7.4-4+deb13u1 zip=3.0-15+deb13u1 \
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

mkdir -p "$root/srv/site" "$root/root/file" "$root/root/pipe"
printf 'page\n' >"$root/srv/site/index.php"
printf '#!/bin/sh\n' >"$root/srv/site/artisan"
chmod 0755 "$root/srv/site/artisan"
ln -s /srv/shared/uploads "$root/srv/site/uploads"
chroot "$root" sh -c 'cd /srv && zip --quiet --recurse-paths --symlinks /root/site.zip site'
chroot "$root" sh -c 'umask 022; bsdtar -xf /root/site.zip -C /root/file'
expect 'from the file: the link' 'symbolic link' "$(stat -c %F "$root/root/file/site/uploads")"
expect 'from the file: the program' 755 "$(stat -c %a "$root/root/file/site/artisan")"
expect 'through a pipe' 'status 0' "$(chroot "$root" sh -c 'umask 022; cat /root/site.zip | bsdtar -xf - -C /root/pipe 2>&1; echo status $?')"
expect 'through a pipe: the link' 'regular file' "$(stat -c %F "$root/root/pipe/site/uploads")"
expect 'through a pipe: its content' /srv/shared/uploads "$(cat "$root/root/pipe/site/uploads")"
expect 'through a pipe: the program' no "$([[ -x $root/root/pipe/site/artisan ]] && echo yes || echo no)"
exit "$failed"
