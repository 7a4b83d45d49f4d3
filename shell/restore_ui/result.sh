# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# How a restore or rollback ended: the four boxes, or what went wrong and that the site is as it was.

_rui_result() { # JOB
  case $RUI_STATE in
    done) _rui_success "$1" ;;
    detached)
      _rui_say title_detached
      _rui_page "$RUI_SAID"
      _rui_say detached "$1"
      _rui_prose '  ' '  ' "$RUI_SAID"
      _rui_any_key || true
      ;;
    *) _rui_failure "$1" ;;
  esac
}

_rui_success() { # JOB
  local job=$1 line verdict
  _rui_say title_report
  local title=$RUI_SAID
  _rui_call status "$job" --field 'result.duration_s|duration,result.commit_ms|count,result.snapshot,log,result.verification.outcome,result.database.tables' ||
    { _rui_refused "$title"; return; }
  local -a f=("${RUI_OUT[@]}")
  _rui_say "report_${f[4]:-not_checked}"
  if [[ ${f[4]} == pass ]]; then verdict="${RUI_G[good]} $RUI_SAID"; else verdict="${RUI_G[warn]} $RUI_SAID"; fi
  _rui_page "$title" "${RUI_DOMAIN:-}"
  # Said first and last: the boxes are longer than a terminal.
  _rui_add "$verdict"
  _rui_rehearsal_box "$job"
  _rui_check_boxes "$job" result.verification.live
  _rui_add '' "$verdict" ''
  # From a second on, pages that need the tables had to wait.
  local times=report_times ms=${f[1]//[!0-9]/}
  if ((${ms:-0} >= 1000)) && [[ -n ${f[5]:-} ]]; then times=report_times_waited; fi
  _rui_say "$times" "${f[0]}" "${f[1]}"
  _rui_prose '' '' "$RUI_SAID"
  if [[ -n ${f[2]} ]]; then
    _rui_say report_snapshot
    _rui_add "$RUI_SAID" "  ${f[2]}"
  fi
  if [[ -n ${f[3]} ]]; then
    _rui_say report_log
    _rui_add "$RUI_SAID" "  ${f[3]}"
  fi
  _rui_call status "$job" --tsv 'result.notes:'
  for line in "${RUI_OUT[@]}"; do _rui_prose "${RUI_G[warn]} " '  ' "$line"; done
  _rui_any_key || true
}

# How the staged site was asked for pages, a line a page; nothing where nobody knows of a rehearsal.
_rui_rehearsal_box() { # JOB
  local outcome message check line
  _rui_call status "$1" --field 'result.rehearsal.outcome,result.rehearsal.message' --tsv 'result.rehearsal.pages:outcome,message' || return 1
  local -a f=("${RUI_OUT[@]}")
  outcome=${f[0]:-}
  [[ -n $outcome ]] || return 0
  _rui_mark "$outcome"
  _rui_say "outcome_$outcome"
  line="$RUI_MARK $RUI_SAID"
  _rui_say group_rehearsal
  _rui_box_top "$RUI_SAID" "$line"
  # Why no page was asked for; else the pages say it themselves.
  ((${#f[@]} > 2)) || _rui_box_prose "$RUI_MARK" "${f[1]}"
  for line in "${f[@]:2}"; do
    IFS=$'\t' read -r check message <<<"$line"
    _rui_mark "$check"
    _rui_box_prose "$RUI_MARK" "$message"
  done
  _rui_box_end
}

_rui_failure() { # JOB
  local job=$1 line phase='' time level message
  _rui_say "title_failure_$RUI_STATE"
  local title=$RUI_SAID
  _rui_call status "$job" --field 'error.code,error.message,error.hint,log,error.context.phase' || { _rui_refused "$title"; return; }
  local -a f=("${RUI_OUT[@]}")
  [[ ${f[0]} != cancelled ]] || { _rui_say title_cancelled; title=$RUI_SAID; }
  _rui_call status "$job" --tsv 'events:time|moment,level,message'
  local -a events=("${RUI_OUT[@]}")
  _rui_page "$title" "${RUI_DOMAIN:-}"
  if [[ ${f[0]} != cancelled ]]; then
    _rui_say failure_detected
    _rui_add "${RUI_G[bad]} $RUI_SAID"
    phase=${f[4]:-recovery}
    _rui_say "at_${phase//[ -]/_}"
    line=$RUI_SAID
    _rui_say label_phase
    _rui_add "   $RUI_SAID: $line"
    _rui_error_sentence "${f[0]}"
    line=$RUI_SAID
    _rui_say label_error
    _rui_prose "   $RUI_SAID: " '   ' "$line"
    _rui_prose '   ' '   ' "${f[1]}"
    if ((${#events[@]})); then
      _rui_say label_time
      _rui_add "   $RUI_SAID: ${events[-1]%%$'\t'*}"
    fi
    _rui_add ''
  fi
  # The last things that happened: the way back, as the engine tells it.
  local first=$((${#events[@]} > 6 ? ${#events[@]} - 6 : 0))
  for line in "${events[@]:first}"; do
    IFS=$'\t' read -r time level message <<<"$line"
    case $level in
      info) _rui_prose "${RUI_G[ok]} " '  ' "$message" ;;
      warn) _rui_prose "${RUI_G[warn]} " '  ' "$message" ;;
    esac
  done
  _rui_add ''
  _rui_say "outcome_state_$RUI_STATE"
  if [[ $RUI_STATE == needs_operator ]]; then line=${RUI_G[bad]}; else line=${RUI_G[ok]}; fi
  _rui_add "$line $RUI_SAID"
  _rui_add ''
  _rui_say "after_$RUI_STATE"
  _rui_prose '' '' "$RUI_SAID"
  [[ -z ${f[2]} ]] || _rui_prose '' '' "${f[2]}"
  if [[ -n ${f[3]} ]]; then
    _rui_add ''
    _rui_say error_details
    _rui_add "$RUI_SAID" "${f[3]}"
  fi
  _rui_any_key || true
}
