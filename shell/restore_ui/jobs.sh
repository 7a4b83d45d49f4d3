# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# Jobs, logs, and what a crash left.

_rui_jobs() {
  local line job kind domain state elapsed resumable percent
  _rui_say title_jobs
  local title=$RUI_SAID
  while :; do
    local -a jobs=() states=() domains=()
    _rui_call jobs --tsv 'jobs:job,kind,domain,state,elapsed_s|duration,percent|percent,started|moment,resumable' || { _rui_refused "$title"; return 0; }
    _rui_page "$title"
    _rui_say job_head
    _rui_add "$RUI_SAID"
    for line in "${RUI_OUT[@]}"; do
      local started
      IFS=$'\t' read -r job kind domain state elapsed percent started resumable <<<"$line"
      jobs+=("$job") states+=("$state") domains+=("$domain")
      _rui_say "job_kind_$kind"
      _rui_fill "$RUI_SAID" 13
      kind=$RUI_FILLED
      _rui_say "state_$state"
      [[ $resumable != true ]] || _rui_say state_resumable
      _rui_fill "$domain" 22
      printf -v line ' %3d) %s %s %s %s' "${#jobs[@]}" "$started" "$kind" "$RUI_FILLED" "$RUI_SAID"
      _rui_place "$line"
    done
    if ((${#jobs[@]} == 0)); then
      _rui_say no_jobs
      _rui_add "  $RUI_SAID"
      _rui_any_key || true
      return 0
    fi
    _rui_say keys_jobs
    RUI_FOOT=$RUI_SAID
    _rui_ask enter l q || return 0
    [[ $RUI_KEY != q ]] || return 0
    job=${jobs[RUI_CURSOR]} state=${states[RUI_CURSOR]}
    RUI_DOMAIN=${domains[RUI_CURSOR]} RUI_SOURCE_SHOWN=''
    if [[ $RUI_KEY == l ]]; then
      _rui_call status "$job" --field log
      if [[ -n ${RUI_OUT[0]:-} ]]; then _rui_log "${RUI_OUT[0]}"; else _rui_job_page "$job"; fi
      continue
    fi
    case $state in
      done | failed | rolled_back | needs_operator) _rui_job_page "$job" ;;
      *) _rui_look_at "$job" "$title" || return 0 ;;
    esac
  done
}

# A job at work: a restore or rollback with its boxes, any other with its percentage.
_rui_look_at() { # JOB TITLE
  local kind
  _rui_call status "$1" --field kind || { _rui_refused "$2"; return 0; }
  kind=${RUI_OUT[0]}
  case $kind in
    restore | rollback)
      _rui_watch "$1" || return 1
      _rui_result "$1"
      ;;
    *)
      _rui_say "job_kind_$kind"
      _rui_wait "$1" "$2" "$1" "$RUI_SAID" || return 0
      _rui_job_page "$1"
      ;;
  esac
}

# What the engine knows of a job, line by line.
_rui_job_page() { # JOB
  local line time level message
  _rui_say title_job
  local title=$RUI_SAID
  _rui_call status "$1" --field 'kind,domain,state,started|moment,elapsed_s|duration,error.code,error.message,error.hint,log' --tsv 'events:time|moment,level,message' ||
    { _rui_refused "$title"; return 0; }
  local -a f=("${RUI_OUT[@]}")
  _rui_page "$title" "$1"
  _rui_say "job_kind_${f[0]}"
  line=$RUI_SAID
  _rui_say label_job_kind
  _rui_pair "$RUI_SAID" "$line"
  _rui_say label_domain
  _rui_pair "$RUI_SAID" "${f[1]}"
  _rui_say "state_${f[2]}"
  line=$RUI_SAID
  _rui_say label_state
  _rui_pair "$RUI_SAID" "$line"
  _rui_say label_started
  _rui_pair "$RUI_SAID" "${f[3]}"
  _rui_say label_duration
  _rui_pair "$RUI_SAID" "${f[4]}"
  if [[ -n ${f[5]} ]]; then
    _rui_add ''
    _rui_error_sentence "${f[5]}"
    _rui_prose "${RUI_G[bad]} " '  ' "$RUI_SAID"
    _rui_prose '  ' '  ' "${f[6]}"
    _rui_prose '  ' '  ' "${f[7]}"
  fi
  case "${f[0]} ${f[2]}" in
    'rehearse done')
      _rui_add ''
      _rui_rehearsed "$1" && _rui_rehearsal_box "$1"
      ;;
    'restore done') _rui_rehearsal_box "$1" ;;
  esac
  [[ -z ${f[8]} ]] || _rui_add '' "${f[8]}"
  ((${#f[@]} <= 9)) || _rui_add ''
  for line in "${f[@]:9}"; do
    IFS=$'\t' read -r time level message <<<"$line"
    case $level in
      info) _rui_prose "${RUI_G[ok]} ${time#* } " '           ' "$message" ;;
      warn) _rui_prose "${RUI_G[warn]} ${time#* } " '           ' "$message" ;;
      *) _rui_prose "${RUI_G[bad]} ${time#* } " '           ' "$message" ;;
    esac
  done
  _rui_any_key || true
}

_rui_logs() {
  local line path date size failed domain
  _rui_say title_logs
  local title=$RUI_SAID
  while :; do
    local -a paths=()
    _rui_call logs --tsv 'logs:path,domain,date|moment,size|size,failed' || { _rui_refused "$title"; return 0; }
    _rui_page "$title"
    for line in "${RUI_OUT[@]}"; do
      IFS=$'\t' read -r path domain date size failed <<<"$line"
      paths+=("$path")
      _rui_fill "$domain" 26
      if [[ $failed == true ]]; then failed=${RUI_G[bad]}; else failed=${RUI_G[ok]}; fi
      printf -v line ' %3d) %s %s %9s  %s %s' "${#paths[@]}" "$date" "$RUI_FILLED" "$size" "$failed" "${path##*/}"
      _rui_place "$line"
    done
    _rui_say no_logs
    _rui_choose_place "$RUI_SAID" || return 0
    _rui_log "${paths[RUI_CURSOR]}"
  done
}

# A log as it is, long lines wrapped, control characters shown as `?`.
_rui_log() { # PATH
  local line
  local -a lines=()
  _rui_say title_log
  _rui_page "$RUI_SAID" "${1##*/}"
  if ! mapfile -t lines 2>/dev/null <"$1"; then
    _rui_say log_gone "$1"
    lines=("$RUI_SAID")
  fi
  for line in "${lines[@]}"; do
    line=${line//[[:cntrl:]]/?}
    while ((${#line} > RUI_COLUMNS)); do
      _rui_add "${line:0:RUI_COLUMNS}"
      line="    ${line:RUI_COLUMNS}"
    done
    _rui_add "$line"
  done
  _rui_any_key || true
}

# Finishes or undoes what a crash left, then removes what has expired.
_rui_recover() {
  local line
  _rui_say title_recover
  local title=$RUI_SAID job
  _rui_say recovering
  _rui_job "$title" '' "$RUI_SAID" recover || return 0
  job=$RUI_JOB
  _rui_call status "$job" --field 'result.recovered.#,result.busy.#' --tsv 'result.recovered:domain,job,state'
  local -a recovered=("${RUI_OUT[@]}")
  _rui_say cleaning
  _rui_job "$title" '' "$RUI_SAID" cleanup || return 0
  _rui_call status "$RUI_JOB" --field 'result.snapshots.#,result.orphans.#,result.interrupted.#,result.jobs'
  _rui_page "$title"
  _rui_say recovered_count "${recovered[0]}" "${recovered[1]}"
  _rui_add "${RUI_G[ok]} $RUI_SAID"
  for line in "${recovered[@]:2}"; do
    local domain lost state
    IFS=$'\t' read -r domain lost state <<<"$line"
    _rui_say "state_$state"
    _rui_prose '  - ' '    ' "$domain: $lost: $RUI_SAID"
  done
  _rui_say cleaned_count "${RUI_OUT[@]}"
  _rui_add "${RUI_G[ok]} $RUI_SAID"
  _rui_any_key || true
}

# A restore that is at work already: it may be ours, from before the connection was lost.
_rui_offer_running() {
  local line job kind domain state percent
  _rui_call jobs --tsv 'jobs:job,kind,domain,state,percent|percent' || return 0
  for line in "${RUI_OUT[@]}"; do
    IFS=$'\t' read -r job kind domain state percent <<<"$line"
    case $state in done | failed | rolled_back | needs_operator) continue ;; esac
    case $kind in restore | rollback) ;; *) continue ;; esac
    _rui_say title_running
    _rui_page "$RUI_SAID" "$domain"
    _rui_say "job_kind_$kind"
    _rui_say running "$RUI_SAID" "$domain" "$percent"
    _rui_prose '  ' '  ' "$RUI_SAID"
    _rui_add '' "  $job"
    _rui_say keys_running
    RUI_FOOT=$RUI_SAID
    _rui_ask a m q || return 1
    case $RUI_KEY in
      q) return 1 ;;
      a)
        RUI_DOMAIN=$domain RUI_SOURCE_SHOWN=''
        _rui_watch "$job" || return 1
        _rui_result "$job"
        ;;
    esac
    return 0
  done
}
