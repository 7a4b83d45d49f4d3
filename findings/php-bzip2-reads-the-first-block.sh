#!/usr/bin/env bash
# Debian 13, PHP 8.4.27 and pbzip2 1.1.13-1: of a dump that pbzip2 packed PHP reads the first 900,000 bytes, and calls that the end.
#
# Guess: bzopen() and compress.bzip2:// read what bzip2 reads, as gzopen() does with the glued parts of a gzip file.
# Seen: pbzip2 writes a stream of its own for every 900,000 bytes, one behind the other, as the format allows. All three ways of PHP (bzread,
# the stream and bzdecompress) stop behind the first, with no warning, bzerror() 0 and feof() true. A phpMyAdmin, which opens a .sql.bz2 by
# bzopen, gets the first part of such a dump. What lbzip2 writes in parallel is one stream, and is read whole; bzip2 reads both.
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
  php8.4-cli=8.4.27-1~deb13u1 php8.4-bz2=8.4.27-1~deb13u1 bzip2 pbzip2=1.1.13-1 lbzip2=2.5-4 \
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

seq -f "INSERT INTO orders VALUES (%.0f,'paid');" 1 100000 >"$root/root/shop.sql"
size=$(stat -c %s "$root/root/shop.sql")
cat >"$root/root/read.php" <<'PHP'
<?php
error_reporting(E_ALL);
$file = $argv[2];
if ($argv[1] === 'bzread') {
    $handle = bzopen($file, 'r');
    for ($bytes = 0; !feof($handle); $bytes += strlen(bzread($handle, 8192)));
    echo $bytes, ' error ', bzerror($handle)['errno'];
} elseif ($argv[1] === 'stream') {
    echo strlen(file_get_contents("compress.bzip2://$file"));
} else {
    echo strlen(bzdecompress(file_get_contents($file)));
}
PHP
for program in pbzip2 lbzip2; do
  chroot "$root" "$program" --keep --stdout /root/shop.sql >"$root/root/$program.bz2"
  expect "$program: to bzip2" "$size" "$(chroot "$root" bzip2 -dc "/root/$program.bz2" | wc -c)"
done
php() { # WAY PROGRAM
  chroot "$root" php /root/read.php "$1" "/root/$2.bz2" 2>&1
}
expect 'pbzip2: bzread' '900000 error 0' "$(php bzread pbzip2)"
expect 'pbzip2: the stream' 900000 "$(php stream pbzip2)"
expect 'pbzip2: bzdecompress' 900000 "$(php bzdecompress pbzip2)"
expect 'lbzip2: bzread' "$size error 0" "$(php bzread lbzip2)"
exit "$failed"
