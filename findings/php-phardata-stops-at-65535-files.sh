#!/usr/bin/env bash
# Debian 13, PHP 8.4.27: of a zip of 70,000 files PharData unpacks 65,535, and returns true.
#
# Guess: PharData reads the zip of a large site as ZipArchive does, or says that it does not know zip64.
# Seen: the end of a zip says 65535 where there are more members, and the true number stands in the record of zip64 in front of it. PharData takes 65535
# for the number: it lists, counts and unpacks as many, without an exception or a warning, and extractTo() returns true. The rest of the uploads
# is not there. The archive is small (no member and no offset needs zip64), so that nothing else gives it away. ZipArchive, Python, unzip, busybox,
# bsdtar, 7-Zip and four libraries of npm find 70,000.
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
  python3 php8.4-cli=8.4.27-1~deb13u1 php8.4-zip=8.4.27-1~deb13u1 unzip=6.0-29+deb13u1 \
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

chroot "$root" python3 -c 'import zipfile
with zipfile.ZipFile("/root/site.zip", "w") as archive:
    for number in range(70000):
        archive.writestr("uploads/%05d.txt" % number, "x")'
mkdir "$root/root/back"
expect 'unzip' 70000 "$(chroot "$root" unzip -Z1 /root/site.zip | wc -l)"
# shellcheck disable=SC2016 # PHP's own dollar, here and below.
expect 'ZipArchive' 70000 "$(chroot "$root" php -r '$zip = new ZipArchive; $zip->open("/root/site.zip"); echo $zip->numFiles;')"
# shellcheck disable=SC2016
expect 'PharData' 65535 "$(chroot "$root" php -r 'echo iterator_count(new RecursiveIteratorIterator(new PharData("/root/site.zip")));')"
expect 'extractTo' 'bool(true)' "$(chroot "$root" php -d error_reporting=-1 -d display_errors=1 -d memory_limit=-1 \
  -r 'var_dump((new PharData("/root/site.zip"))->extractTo("/root/back"));' 2>&1)"
expect 'files that there are then' 65535 "$(find "$root/root/back" -type f | wc -l)"
exit "$failed"
