#!/usr/bin/env bash
# npm fflate 0.8.3: gunzipSync() gives a part of a gzip file of several members, and no error.
#
# Guess: it gives all members, as gzip does, or the first one, or it throws.
# Seen: it makes room for as many bytes as the last member says that it has, and fills it from the first one: what comes is as long as the
# last member and holds the beginning of the first. No error, no check of the sum. UpdraftPlus writes its dumps in several members, and so do
# `cat a.gz b.gz` and bgzip. Its own stream Gunzip, pako and node's zlib give all.
#
# node, npm and a network for packages. Fails when the behaviour is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm install --silent --ignore-scripts --no-fund --no-audit --prefix "$place" fflate@0.8.3 \
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

seq 1 100000 >first
seq 100001 130000 >second
gzip -c first >glued.gz
gzip -c second >>glued.gz
cat first second >whole
bytes() { # EXPRESSION; b: the bytes, f: the module; how many bytes it gives, and whether the file begins so
  node -e "
    const f = require('fflate'), b = require('fs').readFileSync('glued.gz');
    const given = Buffer.from($1);
    const whole = require('fs').readFileSync('whole');
    console.log(given.length, whole.subarray(0, given.length).equals(given) ? 'of the beginning' : 'of something else');
  " 2>&1
}
expect 'gzip' "$(stat -c %s whole)" "$(gzip -dc glued.gz | wc -c)"
expect 'gunzipSync' "$(stat -c %s second) of the beginning" "$(bytes 'f.gunzipSync(b)')"
stream='(() => { const parts = []; new f.Gunzip(part => parts.push(Buffer.from(part))).push(b, true); return Buffer.concat(parts); })()'
expect 'its stream' "$(stat -c %s whole) of the beginning" "$(bytes "$stream")"
expect 'zlib of node' "$(stat -c %s whole) of the beginning" "$(bytes "require('zlib').gunzipSync(b)")"
exit "$failed"
