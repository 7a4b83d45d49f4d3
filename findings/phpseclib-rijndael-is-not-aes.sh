#!/usr/bin/env bash
# Debian 12, php-phpseclib 2.0.42-1+deb12u5 with PHP 8.2: what its Rijndael encrypts by a passphrase of 17 to 20 or 25 to 28 letters is no AES.
#
# Guess: a passphrase is filled up to the next key of AES (128, 192 or 256 bits), so that OpenSSL opens what phpseclib wrote.
# Seen: setKey() takes the smallest key of Rijndael that holds the passphrase, and Rijndael also has keys of 160 and 224 bits. Up to 16
# letters, from 21 to 24 and from 29 on, OpenSSL opens it by the passphrase filled with NUL (of more than 32 letters the rest is dropped
# without a word). In between nothing but phpseclib does: neither OpenSSL nor any other library of AES has such keys. UpdraftPlus encrypts
# databases by this class, so whether a backup can be opened without the plugin hangs on the length of its passphrase.
#
# Root, debootstrap, a network for packages; a chroot of bookworm, a third of a GB. Fails when the behaviour, or a version, is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
root=$place/root
trap 'rm -rf --one-file-system "$place"' EXIT

debootstrap --variant=minbase bookworm "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends php8.2-cli php-phpseclib=2.0.42-1+deb12u5 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

cat >"$root/root/keys.php" <<'PHP'
<?php
error_reporting(E_ALL & ~E_DEPRECATED);
spl_autoload_register(fn ($name) => require '/usr/share/php/' . str_replace('\\', '/', $name) . '.php');
foreach ([5, 16, 17, 20, 21, 24, 25, 28, 29, 32, 40] as $letters) {
    $phrase = substr('correct horse battery staple and some more of it', 0, $letters);
    $plain = str_repeat('sixteen letters.', 4);
    $cipher = new phpseclib\Crypt\Rijndael();
    $cipher->setKey($phrase);
    $cipher->disablePadding();
    $encrypted = $cipher->encrypt($plain);
    $opens = [];
    foreach ([128, 192, 256] as $bits) {
        $key = str_pad(substr($phrase, 0, $bits / 8), $bits / 8, "\0");
        $found = openssl_decrypt($encrypted, "aes-$bits-cbc", $key, OPENSSL_RAW_DATA | OPENSSL_ZERO_PADDING, str_repeat("\0", 16));
        $opens = array_merge($opens, $found === $plain ? [$bits] : []);
    }
    printf("%d letters: a key of %d bits, opened by AES of %s\n", $letters, $cipher->getKeyLength(), implode(', ', $opens) ?: 'no length');
}
PHP

cat >"$place/wanted" <<'WANTED'
5 letters: a key of 128 bits, opened by AES of 128
16 letters: a key of 128 bits, opened by AES of 128
17 letters: a key of 160 bits, opened by AES of no length
20 letters: a key of 160 bits, opened by AES of no length
21 letters: a key of 192 bits, opened by AES of 192
24 letters: a key of 192 bits, opened by AES of 192
25 letters: a key of 224 bits, opened by AES of no length
28 letters: a key of 224 bits, opened by AES of no length
29 letters: a key of 256 bits, opened by AES of 256
32 letters: a key of 256 bits, opened by AES of 256
40 letters: a key of 256 bits, opened by AES of 256
WANTED

chroot "$root" php /root/keys.php >"$place/seen"
if diff "$place/wanted" "$place/seen"; then
  printf 'as seen: %s\n' "$(wc -l <"$place/seen") lengths"
  exit
fi
printf 'CHANGED: the lines above differ\n'
exit 1
