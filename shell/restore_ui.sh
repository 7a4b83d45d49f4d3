#!/usr/bin/env bash
# RocketVPS: the menus of the restore engine. Source it and call restore_main_menu, or run it. rocketvps-restore-module
# The engine decides; what is here only asks and shows. One file a screen in restore_ui/, one catalogue a language in
# restore_ui/lang/. Everything runs in a subshell: no option, trap or name of the caller changes.

# shellcheck source-path=SCRIPTDIR
_rui_here() {
  local here=${BASH_SOURCE[0]%/*}
  [[ $here != "${BASH_SOURCE[0]}" ]] || here=.
  (CDPATH='' cd -- "$here" >/dev/null && pwd)
}

# The old module of that name knows no helper.
if ! declare -F _restore_helper >/dev/null; then
  # shellcheck source=/dev/null
  source "$(_rui_here)/restore.sh"
fi
RESTORE_UI_DIR=$(_rui_here)

# The menus, until the user leaves. Any argument but --lang is ignored, as before.
restore_main_menu() (
  set +eu -f
  shopt -u nocasematch nullglob failglob
  IFS=$' \t\n'
  RUI_FOLDER=$RESTORE_UI_DIR/restore_ui
  for RUI_PART in terminal words engine session choice preview selection checks progress result rehearsal wizard snapshots jobs changes; do
    # shellcheck source=/dev/null
    if ! source "$RUI_FOLDER/$RUI_PART.sh"; then
      printf 'restore_ui: %s is missing; install the modules again (make install)\n' "$RUI_FOLDER/$RUI_PART.sh" >&2
      exit 1
    fi
  done
  _rui_start || exit 1
  _rui_menu
)

export RESTORE_UI_DIR
export -f restore_main_menu

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  restore_main_menu
fi
