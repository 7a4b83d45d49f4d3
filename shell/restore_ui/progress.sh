# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# A job while it changes the site: three boxes, times, disk traffic, Ctrl+C.

# Shows the job to its end, which is in RUI_STATE. False: the end of input; the job goes on.
_rui_watch() { # JOB
  local job=$1 cancelled='' title note='' shown=''
  while :; do
    _rui_call status "$job" \
      --field 'state,percent|percent,elapsed_s|duration,remaining_s|duration,io.total_mb_s|rate,io.read_mb_s|rate,io.write_mb_s|rate,domain,kind' \
      --tsv 'phases:phase,state,items|count,items_total|count,bytes|size,bytes_total|size,current,elapsed_s|duration,remaining_s|duration,percent|percent' ||
      { _rui_say title_progress; _rui_refused "$RUI_SAID"; return 1; }
    RUI_STATE=${RUI_OUT[0]}
    case $RUI_STATE in
      done | failed | rolled_back | needs_operator) return 0 ;;
    esac
    _rui_say "title_progress_${RUI_OUT[8]}"
    title=$RUI_SAID
    case $RUI_STATE in
      cancelling | rolling_back) _rui_say title_going_back; title=$RUI_SAID ;;
    esac
    _rui_page "$title" "${RUI_OUT[7]}${RUI_SOURCE_SHOWN:+ - $RUI_SOURCE_SHOWN}"
    _rui_progress_page
    _rui_say keys_progress
    RUI_FOOT=$RUI_SAID
    [[ -z $cancelled ]] || { _rui_say cancelling; note=$RUI_SAID; }
    RUI_NOTE=$note
    if [[ -z $RUI_LIVE ]]; then
      # Without a terminal: the page once for each state; keys are for the screens after this one.
      [[ $shown == "$RUI_STATE" ]] || _rui_draw
      shown=$RUI_STATE
      sleep 0.2
      continue
    fi
    _rui_draw
    _rui_key 0.3
    case $RUI_KEY in
      interrupt)
        # A wish that could not be told may be told again.
        if [[ -z $cancelled ]] && _rui_call cancel "$job"; then
          cancelled=1
        elif [[ -z $cancelled ]]; then
          note=${RUI_ERR[0]:-}
        fi
        ;;
      eof) return 1 ;;
      d)
        RUI_STATE=detached
        return 0
        ;;
      tick | other | resize) ;;
      *) _rui_say progress_key; note=$RUI_SAID ;;
    esac
  done
}

# From RUI_OUT: nine fields, then the phases.
_rui_progress_page() {
  local -a f=("${RUI_OUT[@]}")
  local line number=1 phase state items total bytes bytes_total current elapsed left percent compact=''
  # With 24 rows there is no room between the boxes: they share their lines.
  if [[ -n $RUI_LIVE ]] && ((RUI_ROWS < 34)); then compact=1; fi
  _rui_bar "${f[1]}" 26
  _rui_say overall "$RUI_BAR" "${f[1]}"
  line=$RUI_SAID
  _rui_say "state_${f[0]}"
  _rui_add "$line  $RUI_SAID"
  [[ -n $compact ]] || _rui_add ''
  for line in "${f[@]:9}"; do
    IFS=$'\t' read -r phase state items total bytes bytes_total current elapsed left percent <<<"$line"
    [[ $phase != verify ]] || continue
    _rui_phase_box
    [[ -n $compact ]] || _rui_add ''
    number=$((number + 1))
  done
  _rui_say elapsed "${f[2]}" "${f[3]:+~}${f[3]:--}"
  _rui_add "${RUI_G[time]}$RUI_SAID"
  [[ -n $compact ]] || _rui_add ''
  _rui_say disk_io "${f[4]}" "${f[5]}" "${f[6]}"
  _rui_add "${RUI_G[disk]}$RUI_SAID"
  _rui_say rollback_ready
  _rui_add "${RUI_G[turn]}$RUI_SAID"
}

# One phase, from the caller's variables.
_rui_phase_box() {
  local right figures time='' joined=''
  if [[ -n $compact ]] && ((number > 1)); then joined=joined; fi
  _rui_say "phase_state_$state"
  case $state in
    done) right="${RUI_G[ok]} $RUI_SAID" ;;
    active) right="${RUI_G[wait]} $RUI_SAID" ;;
    skipped) right="${RUI_G[none]} $RUI_SAID" ;;
    *) right="${RUI_G[pause]} $RUI_SAID" ;;
  esac
  _rui_say "phase_$phase" "$number"
  _rui_box_top "$RUI_SAID" "$right" $joined
  if [[ $total != - ]]; then items+="/$total"; fi
  if [[ $bytes_total != - && $bytes_total != "$bytes" ]]; then bytes+=" / $bytes_total"; fi
  if [[ $phase == config ]]; then _rui_say progress_config "$items"; else _rui_say "progress_$phase" "$items" "$bytes"; fi
  figures=$RUI_SAID
  _rui_bar "$percent" 26
  if [[ $current == - ]]; then current=''; fi
  if [[ -n $compact ]]; then
    _rui_box_line "$RUI_BAR ${percent}% ${current:+ $current}"
    _rui_box_line "$figures"
  else
    _rui_box_line "$RUI_BAR ${percent}%"
    _rui_box_line "$figures"
    if [[ -n $current ]]; then
      _rui_say current "$current"
      _rui_box_line "$RUI_SAID"
    fi
    if [[ $elapsed != - && $state != pending && $state != skipped ]]; then
      _rui_say phase_time "$elapsed"
      time=$RUI_SAID
      if [[ $state == active && $left != - ]]; then
        _rui_say phase_left "$left"
        time+=" | $RUI_SAID"
      fi
      _rui_box_line "$time"
    fi
  fi
  _rui_box_end
}
