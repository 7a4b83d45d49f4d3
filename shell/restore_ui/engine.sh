# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# What the menus ask the engine. Every figure and every decision comes from there.

# Runs the helper; its lines into RUI_OUT, what it complains of into RUI_ERR. Its exit status.
_rui_call() { # WORD...
  local status=0
  # Ctrl+C is for us: a question that it ended would be no answer, and a cancelled restore would go on.
  (trap '' INT; _restore_helper "$@") >"$RUI_TEMP/out" 2>"$RUI_TEMP/err" </dev/null || status=$?
  mapfile -t RUI_OUT <"$RUI_TEMP/out"
  mapfile -t RUI_ERR <"$RUI_TEMP/err"
  return "$status"
}

# The name of an error, and the sentence of the catalogue for it.
_rui_error_sentence() { # CODE; into RUI_SAID
  if [[ -n ${RUI_WORDS[code_$1]-} ]]; then _rui_say "code_$1"; else RUI_SAID=$1; fi
}

# What the helper just refused, into the page: the sentence of the language, the engine's message, its hint.
_rui_refusal_lines() {
  local code line first=1
  RUI_BODY=()
  for line in "${RUI_ERR[@]}"; do
    if [[ -n $first ]]; then
      first=''
      # `MARK code: message`, where it is the engine's.
      code=${line#* }
      code=${code%%:*}
      if [[ -n ${RUI_WORDS[code_$code]-} ]]; then
        line=${line#* }
        line=${line#*: }
        _rui_error_sentence "$code"
        _rui_prose " ${RUI_G[bad]} " '   ' "$RUI_SAID"
        _rui_add ''
      fi
    fi
    _rui_prose '   ' '   ' "${line#"${line%%[! ]*}"}"
  done
}

# A page about it.
_rui_refused() { # TITLE
  _rui_page "$1"
  _rui_refusal_lines
  if ((${#RUI_BODY[@]} == 0)); then
    _rui_say no_answer
    _rui_prose " ${RUI_G[bad]} " '   ' "$RUI_SAID"
  fi
  _rui_any_key
}

# Shows the page until a key comes.
_rui_any_key() {
  _rui_say any_key
  RUI_FOOT=$RUI_SAID
  _rui_ask q enter c b
}

# Waits for a job that changes nothing, with its percentage on the screen; q stops it. Its state into RUI_STATE.
_rui_wait() { # JOB TITLE SUBTITLE SENTENCE
  local job=$1 sentence=$4 cancelled=
  _rui_page "$2" "$3"
  RUI_BODY=(" ${RUI_G[wait]} $sentence")
  # Keys that come without a terminal are for the screens after this one.
  [[ -n $RUI_LIVE ]] || _rui_draw
  while :; do
    _rui_call status "$job" --field 'state,percent|percent,elapsed_s|duration' || { _rui_refused "$2"; return 1; }
    RUI_STATE=${RUI_OUT[0]}
    case $RUI_STATE in
      done | failed | rolled_back | needs_operator) return 0 ;;
    esac
    if [[ -z $RUI_LIVE ]]; then
      sleep 0.2
      continue
    fi
    RUI_BODY=(" ${RUI_G[wait]} $sentence" '')
    _rui_bar "${RUI_OUT[1]}" 26
    _rui_add "   $RUI_BAR ${RUI_OUT[1]}%  ${RUI_OUT[2]}"
    _rui_say keys_wait
    RUI_FOOT=$RUI_SAID
    _rui_draw
    _rui_key 0.3
    case $RUI_KEY in
      q | interrupt | escape) if [[ -z $cancelled ]] && _rui_call cancel "$job"; then cancelled=1; fi ;;
      eof) return 1 ;;
    esac
  done
}

# Starts a job that changes nothing and waits for it; its name into RUI_JOB (empty: answered from what is known already). What the engine
# cannot tell of another program's backup is asked, and so is what only has to be accepted; then the job begins anew. False when it did not
# end well: its error has been shown.
_rui_job() { # TITLE SUBTITLE SENTENCE COMMAND WORD...
  local title=$1 subtitle=$2 sentence=$3 status
  shift 3
  while :; do
    _rui_call "$@" --detach --field job || { _rui_refused "$title"; return 1; }
    RUI_JOB=${RUI_OUT[0]}
    [[ -n $RUI_JOB ]] || return 0
    _rui_wait "$RUI_JOB" "$title" "$subtitle" "$sentence" || return 1
    if [[ $RUI_STATE == "done" ]]; then return 0; fi
    status=0
    _rui_choose_of_file "$title" || status=$?
    case $status in
      0)
        set -- "$@" "${RUI_SOURCE[@]: -2}"
        continue
        ;;
      2) return 1 ;;
    esac
    _rui_acceptable error.context.groups || break
    _rui_page "$title" "$subtitle"
    _rui_check_boxes "$RUI_JOB" error.context.groups
    _rui_asks_to_accept || return 1
    set -- "$@" --accept "$RUI_ACCEPT"
  done
  # Worded as the helper words an error.
  _rui_call status "$RUI_JOB" --field error.code,error.message,error.hint && RUI_ERR=("${RUI_G[bad]} ${RUI_OUT[0]}: ${RUI_OUT[1]}" "  ${RUI_OUT[2]}")
  _rui_refused "$title"
  return 1
}
