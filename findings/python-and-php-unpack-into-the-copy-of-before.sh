#!/usr/bin/env bash
# Debian 13, Python 3.13, PHP 8.4.27 and busybox 1.37: a restore also changes the copy that was made of the site a minute before.
#
# Guess: `cp -al site site.before`, then unpack the backup: every program that unpacks puts a new file in the place of the old one, so
# that the copy of links is the way back.
# Seen: so do GNU tar, bsdtar, unzip, 7-Zip and borg, and so does restic where a file has several names. Python's tarfile and zipfile, PHP's ZipArchive
# and PharData, and `busybox unzip` write into the file that is there: site.before has the restored content too, and what the site was a minute
# ago is nowhere. The same befalls the older days of rsnapshot and `rsync --link-dest`, where somebody unpacks into one of them, and a release
# folder that shares its files with the one before. The status is 0. `tar --overwrite` does it as well.
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
  python3 php8.4-cli=8.4.27-1~deb13u1 php8.4-zip=8.4.27-1~deb13u1 busybox=1:1.37.0-6+b9 unzip=6.0-29+deb13u1 zip \
  7zip=25.01+dfsg-1~deb13u2 libarchive-tools=3.7.4-4+deb13u1 borgbackup=1.4.0-5 restic=0.18.0-1+b4 \
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

mkdir -p "$root/srv/site"
printf 'of the backup\n' >"$root/srv/site/index.php"
here() { # COMMAND...; in the folder of the site
  chroot "$root" env --chdir=/srv HOME=/root RESTIC_PASSWORD=word BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes "$@" >"$place/said" 2>&1 </dev/null
}
here tar -cf site.tar site
here zip --quiet --recurse-paths site.zip site
here borg init --encryption=none borg
here borg create borg::day site
here restic --no-cache --repo restic init
here restic --no-cache --repo restic backup site
restore() { # COMMAND...; the status, the site, and the copy of before
  local status=0
  rm -rf "$root/srv/site" "$root/srv/site.before"
  mkdir "$root/srv/site"
  printf 'of this morning\n' >"$root/srv/site/index.php"
  cp -al "$root/srv/site" "$root/srv/site.before"
  here "$@" || status=$?
  printf '%d, %s, %s' "$status" "$(cat "$root/srv/site/index.php")" "$(cat "$root/srv/site.before/index.php")"
}
kept='0, of the backup, of this morning'
expect 'GNU tar' "$kept" "$(restore tar -xf site.tar)"
expect 'bsdtar' "$kept" "$(restore bsdtar -xf site.tar)"
expect 'unzip' "$kept" "$(restore unzip -o site.zip)"
expect '7-Zip' "$kept" "$(restore 7z x -y site.zip)"
expect 'borg' "$kept" "$(restore borg extract borg::day)"
expect 'restic' "$kept" "$(restore restic --no-cache --repo restic restore latest --target .)"
changed='0, of the backup, of the backup'
expect 'tar --overwrite' "$changed" "$(restore tar --overwrite -xf site.tar)"
expect 'busybox unzip' "$changed" "$(restore busybox unzip -o site.zip)"
expect 'tarfile' "$changed" "$(restore python3 -c 'import tarfile; tarfile.open("site.tar").extractall(filter="data")')"
expect 'zipfile' "$changed" "$(restore python3 -c 'import zipfile; zipfile.ZipFile("site.zip").extractall()')"
# shellcheck disable=SC2016 # PHP's own dollar.
expect 'ZipArchive' "$changed" "$(restore php -r '$zip = new ZipArchive; $zip->open("site.zip"); $zip->extractTo(".");')"
expect 'PharData' "$changed" "$(restore php -r '(new PharData("site.tar"))->extractTo(".", null, true);')"
exit "$failed"
