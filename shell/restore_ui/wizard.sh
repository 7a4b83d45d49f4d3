# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# A restore from the choice of the backup to its report.

_rui_restore() {
  _rui_say title_restore
  local title=$RUI_SAID status
  _rui_open_backup "$title" || return 0
  _rui_say keys_continue
  RUI_FOOT=$RUI_SAID
  _rui_ask c enter q || return 0
  [[ $RUI_KEY != q ]] || return 0
  while :; do
    _rui_select || return 0
    _rui_selected_options
    status=0
    _rui_validate || status=$?
    case $status in
      0) break ;;
      # What was selected had the names of before.
      2) _rui_know_backup "$title" || return 0 ;;
      *) return 0 ;;
    esac
  done
  RUI_SNAPSHOT=''
  _rui_offer_snapshot || return 0
  _rui_confirm_restore || return 0
  local -a snapshot=()
  [[ -z $RUI_SNAPSHOT ]] || snapshot=(--snapshot "$RUI_SNAPSHOT")
  _rui_call restore "$RUI_DOMAIN" "${RUI_SOURCE[@]}" "${RUI_OPTIONS[@]}" "${snapshot[@]}" --yes --detach --field job ||
    { _rui_refused "$title"; return 0; }
  local job=${RUI_OUT[0]}
  _rui_watch "$job" || return 0
  _rui_result "$job"
}

# The state before is kept by the change-over itself; a copy that can be carried elsewhere is made on request.
_rui_offer_snapshot() {
  _rui_say title_snapshot
  _rui_page "$RUI_SAID" "$RUI_DOMAIN"
  _rui_say snapshot_kept
  _rui_prose "${RUI_G[ok]} " '  ' "$RUI_SAID"
  _rui_add ''
  _rui_say snapshot_offer
  _rui_prose '  ' '  ' "$RUI_SAID"
  _rui_say keys_snapshot
  RUI_FOOT=$RUI_SAID
  _rui_ask c s q || return 1
  case $RUI_KEY in
    q) return 1 ;;
    c) return 0 ;;
  esac
  _rui_create_snapshot
}

# Into RUI_SNAPSHOT.
_rui_create_snapshot() {
  _rui_say title_snapshot
  local title=$RUI_SAID job
  _rui_say snapshotting
  _rui_job "$title" "$RUI_DOMAIN" "$RUI_SAID" snapshot "$RUI_DOMAIN" || return 1
  job=$RUI_JOB
  _rui_call status "$job" --field 'result.path,result.files|count,result.bytes|size,result.tables|count,result.database_bytes|size,result.config.#,result.size|size' || return 1
  local -a f=("${RUI_OUT[@]}")
  RUI_SNAPSHOT=${f[0]}
  _rui_page "$title" "$RUI_DOMAIN"
  _rui_say snapshot_files "${f[1]}" "${f[2]}"
  _rui_add "${RUI_G[ok]} $RUI_SAID"
  _rui_say snapshot_database "${f[3]}" "${f[4]}"
  _rui_add "${RUI_G[ok]} $RUI_SAID"
  _rui_say snapshot_config "${f[5]}"
  _rui_add "${RUI_G[ok]} $RUI_SAID" ''
  _rui_say snapshot_saved "${f[6]}"
  _rui_add "$RUI_SAID" "${f[0]}/" ''
  _rui_say snapshot_use
  _rui_prose '' '' "$RUI_SAID"
  _rui_any_key || return 1
  [[ $RUI_KEY != q ]]
}

_rui_confirm_restore() {
  local line
  _rui_say title_confirm
  _rui_page "$RUI_SAID" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN"
  _rui_say warn_replaced
  _rui_prose "${RUI_G[warn]} " '  ' "$RUI_SAID"
  _rui_add ''
  if ((${#RUI_PARTS[@]})); then
    _rui_selected_summary
  elif [[ $RUI_ONLY == files,database,config ]]; then
    _rui_say selected_full
  else
    line=''
    local key
    for key in ${RUI_ONLY//,/ }; do _rui_say "component_name_$key"; line+=${line:+, }$RUI_SAID; done
    _rui_say selected "$line"
  fi
  _rui_add "  - $RUI_SAID"
  _rui_say warn_snapshot
  _rui_prose '  - ' '    ' "$RUI_SAID"
  _rui_say warn_rollback
  _rui_prose '  - ' '    ' "$RUI_SAID"
  _rui_say warn_online
  _rui_prose '  - ' '    ' "$RUI_SAID"
  line=${RUI_TOUCHED:-$RUI_ONLY}
  if _rui_preview_call --field "estimate.of.${line//,/+}|duration" && [[ -n ${RUI_OUT[0]} ]]; then
    _rui_say estimated_time "~${RUI_OUT[0]}"
    _rui_add "  - $RUI_SAID"
  fi
  _rui_yes
}

# Asks for YES in capitals below the page. Anything else changes nothing, and says so.
_rui_yes() {
  RUI_FOOT='' RUI_NOTE=''
  _rui_draw
  if _rui_too_small; then return 1; fi
  _rui_say type_yes
  if [[ -n $RUI_LIVE ]]; then printf '\e[%d;1H\e[K' "$RUI_ROWS"; fi
  if _rui_line "$RUI_SAID" && [[ $RUI_LINE == YES ]]; then return 0; fi
  _rui_say not_confirmed
  RUI_NOTE=$RUI_SAID
  local note=$RUI_SAID
  _rui_say any_key
  RUI_FOOT=$RUI_SAID RUI_NOTE=$note
  _rui_ask q enter c b || true
  return 1
}
