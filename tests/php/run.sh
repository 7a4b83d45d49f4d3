#!/usr/bin/env bash
# Every test in PHP. Speaks TAP: run.sh PREFIX
set -uo pipefail
cd "$(dirname "$0")" || exit 1
status=0
for script in unit ffi transports fpm; do
  timeout --kill-after=10 900 php "$script.php" "$1" || status=1
done
exit "$status"
