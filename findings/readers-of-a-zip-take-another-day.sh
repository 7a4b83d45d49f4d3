#!/usr/bin/env bash
# Debian 13, Python 3.13, PHP 8.4.27, unzip 6.0-29 and 7-Zip 25.01: the same zip has Monday's dump for one and Tuesday's for another.
#
# Guess: where a zip has two members of one name everybody takes the later one, as the programs that unpack it do.
# Seen: Python's ZipFile in the mode "a" adds today's dump.sql to the archive of yesterday and keeps the old one (a UserWarning, that no log of
# cron shows with -W ignore). Unpacked whole it is today's, by unzip, bsdtar, 7-Zip and PHP; so it is for Python's read().
# PHP's getFromName(), zip:// and extractTo() of that one file give yesterday's, and `unzip -p` and `7z -so` both, one behind the other. A page
# that shows what is in the backup shows another day than the one that is restored.
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
  python3 php8.4-cli=8.4.27-1~deb13u1 php8.4-zip=8.4.27-1~deb13u1 unzip=6.0-29+deb13u1 7zip=25.01+dfsg-1~deb13u2 libarchive-tools=3.7.4-4+deb13u1 \
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

for day in monday tuesday; do
  chroot "$root" python3 -W ignore -c 'import sys, zipfile
with zipfile.ZipFile("/root/backup.zip", "a") as archive:
    archive.writestr("dump.sql", sys.argv[1])' "$day"
done
whole() { # PROGRAM ARGUMENT...
  rm -rf "$root/root/whole"
  mkdir "$root/root/whole"
  chroot "$root" env --chdir=/root/whole "$@" >/dev/null 2>&1 </dev/null || true
  cat "$root/root/whole/dump.sql"
}
php() { # CODE
  chroot "$root" php -r "\$zip = new ZipArchive; \$zip->open('/root/backup.zip'); $1"
}
expect 'unzip' tuesday "$(whole unzip -o /root/backup.zip)"
expect 'bsdtar' tuesday "$(whole bsdtar -xf /root/backup.zip)"
expect '7-Zip' tuesday "$(whole 7z x -y /root/backup.zip)"
# shellcheck disable=SC2016 # PHP's own dollar, here and below.
expect 'PHP, all of it' tuesday "$(whole php -r '$zip = new ZipArchive; $zip->open("/root/backup.zip"); $zip->extractTo(".");')"
expect 'Python, the one' tuesday "$(chroot "$root" python3 -c 'import zipfile; print(zipfile.ZipFile("/root/backup.zip").read("dump.sql").decode())')"
# shellcheck disable=SC2016
expect 'PHP, the one, unpacked' monday "$(whole php -r '$zip = new ZipArchive; $zip->open("/root/backup.zip"); $zip->extractTo(".", "dump.sql");')"
# shellcheck disable=SC2016
expect 'PHP, the one, read' monday "$(php 'echo $zip->getFromName("dump.sql");')"
# shellcheck disable=SC2016
expect 'PHP, zip://' monday "$(php 'echo file_get_contents("zip:///root/backup.zip#dump.sql");')"
expect 'unzip -p' mondaytuesday "$(chroot "$root" unzip -p /root/backup.zip dump.sql)"
expect '7z -so' mondaytuesday "$(chroot "$root" 7z x -so /root/backup.zip dump.sql)"
exit "$failed"
