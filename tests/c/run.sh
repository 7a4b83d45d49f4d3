#!/usr/bin/env bash
# Builds the C program as any C program would be, through pkg-config, and runs it on a world of its own. run.sh PREFIX
set -euo pipefail
prefix=${1:?}
here=$(cd "$(dirname "$0")" && pwd)
world=$here/../harness/world.sh
folder=$(mktemp -d /tmp/rv-c.XXXXXX)
chmod 0711 "$folder"
trap '"$world" down "$folder/w"; rm -rf "$folder"' EXIT
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
# shellcheck disable=SC2046  # flags are words
gcc -std=c99 -Wall -Wextra -Wpedantic -Werror -O1 -o "$folder/calls" "$here/calls.c" $(pkg-config --cflags --libs rocketvps-restore)
"$world" up "$folder/w" >/dev/null
# shellcheck source=/dev/null
source "$folder/w/env"
"$world" digest "$folder/w" >"$folder/before"
"$world" backup "$folder/w" >/dev/null
"$world" damage "$folder/w"
status=0
"$folder/calls" "$RV_CONFIG" "$WORLD_DOMAIN" || status=$?
"$world" digest "$folder/w" >"$folder/after"
if diff "$folder/before" "$folder/after" | sed 's/^/# /'; then
  printf 'ok - the site is as it was in the backup\n'
else
  printf 'not ok - the site is as it was in the backup\n'
  status=1
fi
exit "$status"
