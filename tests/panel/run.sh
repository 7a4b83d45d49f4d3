#!/usr/bin/env bash
# The panel: what its pages say, and all of it in a real Chromium, on restores of a world of its own. Speaks the Test Anything
# Protocol.
#   run.sh PREFIX             what is installed below PREFIX
#   run.sh --shots FOLDER     the project's files, and a picture of every screen into FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${CARGO_TARGET_DIR:-target}
PANEL_NPM=$(realpath "$target/panel-npm")
export PANEL_NPM
[[ -d $PANEL_NPM/node_modules ]] || { printf 'panel: run scripts/install-deps.sh\n' >&2; exit 1; }
if [[ ${1:?} == --shots ]]; then
  PANEL_SHOTS=$(realpath -m "${2:?}")
  export PANEL_SHOTS STAGE_PROGRAM=$target/debug/rocketvps-restore
  # Paths are in some of the pictures.
  folder=/srv/rocketvps
  [[ ! -e $folder ]] || { printf 'panel: %s is there already\n' "$folder" >&2; exit 1; }
  mkdir -p "$folder"
else
  export STAGE_PROGRAM=$1/bin/rocketvps-restore STAGE_SHARE=$1/share
  folder=$(mktemp -d /tmp/rv-panel.XXXXXX)
fi
chmod 0711 "$folder"
finish() {
  tests/panel/stage.sh down "$folder/s" || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
failed=0
[[ -n ${PANEL_SHOTS:-} ]] || timeout 120 php tests/panel/pages.php "$1/share/rocketvps-restore/panel" || failed=1
timeout 300 tests/panel/stage.sh up "$folder/s" >/dev/null
PANEL_ENV=$folder/s/env timeout 900 node tests/panel/panel.mjs || failed=1
((failed == 0))
