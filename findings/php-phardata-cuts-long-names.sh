#!/usr/bin/env bash
# Debian 13, PHP 8.4.27 and Python 3.13: of two photos with long names PharData unpacks one, under neither name, and returns true.
#
# Guess: PharData, which reads the long names that GNU tar writes by default, reads those of the standard too, or refuses the archive.
# Seen: Python's tarfile and `tar --format=posix` put a name of more than 100 bytes into a header of pax in front of the file. PharData passes over that
# header, and takes the first 100 bytes, which stand in the old place for those that know no better. The file has lost its ending; of all whose
# names begin alike, as uploads by date or by title do, the last one is left, and the others are gone. No exception, no warning.
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
  python3 php8.4-cli=8.4.27-1~deb13u1 \
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

name=uploads/$(printf 'a-very-long-title-%.0s' {1..6})
mkdir -p "$root/srv/uploads" "$root/root/back"
for year in 2024 2025; do
  printf '%d\n' "$year" >"$root/srv/$name$year.jpg"
done
chroot "$root" env --chdir=/srv python3 -c 'import tarfile
with tarfile.open("/root/python.tar", "w") as archive:
    archive.add("uploads")'
chroot "$root" tar --format=posix --sort=name -C /srv -cf /root/posix.tar uploads
chroot "$root" tar -C /srv -cf /root/gnu.tar uploads
unpack() { # NAME; what PHP says
  mkdir "$root/root/back/$1"
  chroot "$root" php -d error_reporting=-1 -d display_errors=1 \
    -r "try { var_dump((new PharData('/root/$1.tar'))->extractTo('/root/back/$1')); } catch (Exception \$error) { echo \$error->getMessage(); }" 2>&1
}
files() { # NAME
  (cd "$root/root/back/$1" && find . -type f | sed 's,^./,,')
}
for form in python posix; do
  expect "$form: extractTo" 'bool(true)' "$(unpack "$form")"
  expect "$form: the files" "${name:0:100}" "$(files "$form")"
  expect "$form: files in it" 2 "$(tar -tf "$root/root/$form.tar" | grep -c jpg)"
done
expect 'gnu: extractTo' 'bool(true)' "$(unpack gnu)"
expect 'gnu: the files' "$(printf '%s\n' "${name}2024.jpg" "${name}2025.jpg")" "$(files gnu | LC_ALL=C sort)"
exit "$failed"
