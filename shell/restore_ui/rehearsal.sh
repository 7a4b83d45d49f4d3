# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# The rehearsal of a backup: restored aside, asked for its pages, removed again.

_rui_rehearse() {
  _rui_say title_rehearse
  local title=$RUI_SAID
  _rui_choose_domain "$title" with-backups || return 0
  _rui_choose_backup "$title" || return 0
  _rui_settle_file "$title" || return 0
  _rui_page "$title" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN"
  _rui_say rehearse_what
  _rui_prose '  ' '  ' "$RUI_SAID"
  _rui_add ''
  _rui_say rehearse_room
  _rui_prose '  ' '  ' "$RUI_SAID"
  _rui_say keys_continue
  RUI_FOOT=$RUI_SAID
  _rui_ask c enter q || return 0
  [[ $RUI_KEY != q ]] || return 0
  _rui_say rehearsing
  _rui_job "$title" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN" "$RUI_SAID" rehearse "$RUI_DOMAIN" "${RUI_SOURCE[@]}" || return 0
  _rui_rehearsal_page "$RUI_JOB" "$title"
}

# What came of it: the verdict, the pages, the comparison of what was staged with the backup.
_rui_rehearsal_page() { # JOB TITLE
  local line
  _rui_page "$2" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN"
  _rui_rehearsed "$1" || { _rui_refused "$2"; return; }
  _rui_add ''
  _rui_rehearsal_box "$1"
  _rui_check_boxes "$1" result.staged
  _rui_call status "$1" --field log --tsv 'result.notes:'
  local -a f=("${RUI_OUT[@]}")
  _rui_add ''
  for line in "${f[@]:1}"; do _rui_prose "${RUI_G[warn]} " '  ' "$line"; done
  if [[ -n ${f[0]:-} ]]; then
    _rui_say report_log
    _rui_add "$RUI_SAID" "  ${f[0]}"
  fi
  _rui_any_key || true
}

# What a rehearsal that came to its end has to tell.
_rui_rehearsed() { # JOB
  _rui_call status "$1" --field 'result.outcome,result.recovery_s|duration,result.change_over_ms|count' || return 1
  local -a f=("${RUI_OUT[@]}")
  [[ -n ${f[0]:-} ]] || return 0
  _rui_mark "${f[0]}"
  _rui_say "rehearsed_${f[0]}"
  _rui_add "$RUI_MARK $RUI_SAID"
  if [[ -n ${f[2]:-} ]]; then _rui_say rehearsed_time_waiting "${f[1]}" "${f[2]}"; else _rui_say rehearsed_time "${f[1]}"; fi
  _rui_prose '' '' "$RUI_SAID"
  _rui_say rehearsed_nothing
  _rui_prose '' '' "$RUI_SAID"
}
