#!/usr/bin/env bash
# The panel page on a damaged WordPress of its own, with a broker, nginx and PHP-FPM on a loopback port, until Ctrl+C. All of
# it lives in one temporary folder; nothing of it is left. DEMO_PROGRAM=…  DEMO_SITE=small|demo  DEMO_PORT=…
set -euo pipefail
cd "$(dirname "$0")/.."
program=$(realpath "${DEMO_PROGRAM:-${CARGO_TARGET_DIR:-target}/release/rocketvps-restore}")
[[ -x $program ]] || { printf 'demo-panel: %s is not built; run make build\n' "$program" >&2; exit 1; }
((EUID == 0)) || { printf 'demo-panel: run it as root: it starts MariaDB, PHP-FPM and nginx of its own\n' >&2; exit 1; }

folder=$(mktemp -d /tmp/rv-demo-panel.XXXXXX)
chmod 0711 "$folder"
finish() {
  printf '\nEnding it ...\n'
  tests/panel/stage.sh down "$folder/s" || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 0' INT TERM

# Whoever reaches this port is the demo's user; a real panel says here whom it has let in.
cat >"$folder/settings.php" <<'PHP'
<?php

declare(strict_types=1);

return new RocketVps\Panel\Settings(user: 'demo', domains: ['shop.example'], base: '/restore', socket: $_SERVER['RV_PANEL_SOCKET']);
PHP
printf 'Making a WordPress, two backups, and some damage ...\n'
STAGE_PROGRAM=$program STAGE_SETTINGS=$folder/settings.php STAGE_SITE=${DEMO_SITE:-small} STAGE_PORT=${DEMO_PORT:-} \
  tests/panel/stage.sh up "$folder/s" >"$folder/env"
# shellcheck source=/dev/null
source "$folder/env"
printf '\n  %srestore\n\nOpen it in a browser. Ctrl+C ends it.\n' "$PANEL_URL"
while true; do
  # In pieces: a signal is seen to between two.
  sleep 1
done
