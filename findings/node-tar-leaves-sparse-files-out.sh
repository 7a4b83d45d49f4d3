#!/usr/bin/env bash
# npm tar 7.5.23: a file that `tar --sparse` packed is not unpacked, and nobody says so, not even in strict mode.
#
# Guess: an entry of a type that it does not know is an error in strict mode, and a warning otherwise, as its manual says of everything
# that it passes over.
# Seen: `tar -S` (what many a backup script has for database files and disk images) writes a file with holes as type S, and, in the form pax, as a
# small file GNUSparseFile.NUMBER/NAME. Of the first nothing is unpacked; of the second some hundred bytes are, beside the place where the file
# belongs. The promise is kept, onwarn is not called, strict or not. GNU tar brings the file back.
#
# node, npm and a network for packages, GNU tar. Fails when the behaviour is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm install --silent --ignore-scripts --no-fund --no-audit --prefix "$place" tar@7.5.23 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
printf 'node %s\n' "$(node --version)"

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

mkdir site
printf 'page\n' >site/index.php
truncate -s 1M site/shop.sqlite
printf 'the last row' >>site/shop.sqlite
tar --sparse --format=gnu -cf gnu.tar site
tar --sparse --format=pax -cf pax.tar site

unpack() { # NAME; what is said, and what there is then
  mkdir "$1"
  # shellcheck disable=SC2016 # JavaScript's own.
  node -e '
    const [name] = process.argv.slice(1);
    const onwarn = (code, message) => console.log("warned:", message);
    const done = require("tar").x({ file: `${name}.tar`, cwd: name, strict: true, onwarn });
    done.then(() => console.log("done"), error => console.log("failed:", error.message));
  ' "$1" | tr '\n' ' '
  (cd "$1" && find site -type f | sed 's/[0-9]\{2,\}/NUMBER/' | LC_ALL=C sort | tr '\n' ' ')
}
expect 'in the form of GNU' 'done site/index.php ' "$(unpack gnu)"
expect 'in the form pax' 'done site/GNUSparseFile.NUMBER/shop.sqlite site/index.php ' "$(unpack pax)"
expect 'size of what the second has of it' small "$(find pax -name shop.sqlite -size -2k | grep -q . && echo small || echo whole)"
for form in gnu pax; do
  mkdir "right-$form"
  tar -xf "$form.tar" -C "right-$form"
  expect "GNU tar, $form" same "$(cmp -s site/shop.sqlite "right-$form/site/shop.sqlite" && echo same)"
done
exit "$failed"
