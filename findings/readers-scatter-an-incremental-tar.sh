#!/usr/bin/env bash
# Debian 13, tar 1.35, 7-Zip 25.01, Python 3.13 and PHP 8.4.27: a backup of `tar --listed-incremental` is unpacked all over the place.
#
# Guess: the full backup of a `tar --listed-incremental` (level 0) is a tar like any other, for everything that reads tars of GNU.
# Seen: with that option GNU tar writes each member's time of access and of change where a POSIX tar has the first half of a long name.
# 7-Zip, Python's tarfile and PHP's PharData take the time for that half: site/index.php becomes 15125334400/site/index.php, each file in a folder
# that is named by the time at which it was last read. 7-Zip ends with 0, says nothing, and the site is scattered over as many folders as there
# are times. Python and PHP, for which its folders are no folders either, end with an error; asked for a member by its name they say that there
# is none. GNU tar and bsdtar unpack it as it was. Virtualmin's increments are such tars, and those of every script with `tar -g`.
#
# Root, debootstrap, a network for packages; a chroot of trixie, half a GB. Fails when the behaviour, or a version, is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
root=$place/root
trap 'rm -rf --one-file-system "$place"' EXIT

debootstrap --variant=minbase trixie "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
  7zip=25.01+dfsg-1~deb13u2 python3=3.13.5-1 php8.4-cli=8.4.27-1~deb13u1 libarchive-tools=3.7.4-4+deb13u1 \
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

mkdir -p "$root/srv/site/inc"
printf 'page\n' >"$root/srv/site/index.php"
printf 'code\n' >"$root/srv/site/inc/db.php"
# The second was read a day later.
touch -a -d '2026-01-01 00:00:00 UTC' "$root/srv/site/index.php"
touch -a -d '2026-01-02 00:00:00 UTC' "$root/srv/site/inc/db.php"
chroot "$root" tar --listed-incremental=/root/list --atime-preserve=system -C /srv -cf /root/full.tar site
chroot "$root" tar -C /srv -cf /root/plain.tar site

unpack() { # NAME COMMAND...; the status, and the files that there are then
  local status=0
  mkdir "$root/root/$1"
  chroot "$root" env --chdir="/root/$1" "${@:2}" >"$place/said" 2>&1 || status=$?
  echo "status $status"
  (cd "$root/root/$1" && find . -type f ! -name said | LC_ALL=C sort)
}

right='status 0 ./site/inc/db.php ./site/index.php '
first=$(printf '%o' "$(date -d '2026-01-01 00:00:00 UTC' +%s)")
second=$(printf '%o' "$(date -d '2026-01-02 00:00:00 UTC' +%s)")
for reader in 'tar -xf' 'bsdtar -xf' '7z x -y'; do
  # shellcheck disable=SC2086 # Two words.
  expect "$reader, a plain tar" "$right" "$(unpack "plain-${reader%% *}" $reader /root/plain.tar | tr '\n' ' ')"
done
expect 'tar' "$right" "$(unpack tar tar -xf /root/full.tar | tr '\n' ' ')"
expect 'bsdtar' "$right" "$(unpack bsdtar bsdtar -xf /root/full.tar | tr '\n' ' ')"
expect '7-Zip' "status 0 ./$first/site/index.php ./$second/site/inc/db.php " "$(unpack 7z 7z x -y /root/full.tar | tr '\n' ' ')"
extract='import tarfile; tarfile.open("/root/full.tar").extractall(filter="data")'
expect 'Python' 'status 1 ' "$(unpack python python3 -c "$extract" | tr '\n' ' ')"
expect 'Python, the names' "$first/site/index.php $second/site/inc/db.php " \
  "$(chroot "$root" python3 -c 'import tarfile; print(*tarfile.open("/root/full.tar").getnames(), sep="\n")' | grep php | LC_ALL=C sort | tr '\n' ' ')"
# shellcheck disable=SC2016 # PHP's own dollar.
expect 'PHP, the names' "$first/site/index.php $second/site/inc/db.php " \
  "$(chroot "$root" php -r 'foreach (new RecursiveIteratorIterator(new PharData("/root/full.tar")) as $file) { echo $file->getPathname(), "\n"; }' |
    grep php | sed 's,phar:///root/full.tar/,,' | LC_ALL=C sort | tr '\n' ' ')"
exit "$failed"
