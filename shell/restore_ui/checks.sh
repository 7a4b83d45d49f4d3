# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# Boxes of checks: before a restore, and of what was restored.

# The groups of checks in a job's result as boxes. What is shown is the engine's.
_rui_check_boxes() { # JOB PLACE-IN-RESULT
  local group outcome check message last='' line
  local -A outcomes=()
  _rui_call status "$1" --tsv "$2:name,outcome" || return 1
  for line in "${RUI_OUT[@]}"; do outcomes[${line%%$'\t'*}]=${line#*$'\t'}; done
  _rui_call status "$1" --tsv "$2.*.checks:^.name,outcome,message" || return 1
  for line in "${RUI_OUT[@]}"; do
    IFS=$'\t' read -r group check message <<<"$line"
    if [[ $group != "$last" ]]; then
      [[ -z $last ]] || _rui_box_end
      last=$group
      outcome=${outcomes[$group]:-not_checked}
      _rui_mark "$outcome"
      _rui_say "outcome_$outcome"
      local right="$RUI_MARK $RUI_SAID"
      _rui_say "group_$group"
      _rui_box_top "$RUI_SAID" "$right"
    fi
    _rui_mark "$check"
    _rui_box_prose "$RUI_MARK" "$message"
  done
  [[ -z $last ]] || _rui_box_end
}

# Every check before the restore. 1: it cannot go on, or nobody wants it to; 2: the tables of the backup have other names now.
_rui_validate() {
  local outcome
  _rui_say title_validation
  local title=$RUI_SAID
  _rui_say validating
  _rui_job "$title" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN" "$RUI_SAID" validate "$RUI_DOMAIN" "${RUI_SOURCE[@]}" "${RUI_OPTIONS[@]}" || return 1
  if [[ ${RUI_SOURCE[0]} == --from ]] && ! _rui_was_told --prefix; then
    _rui_call status "$RUI_JOB" --tsv 'result.groups.*.checks.*.figures.prefixes:'
    if ((${#RUI_OUT[@]})); then
      _rui_choose_prefix "$title" "${RUI_OUT[@]}" || return 1
      return 2
    fi
  fi
  _rui_call status "$RUI_JOB" --field 'result.outcome,result.changes.files.added|count,result.changes.files.changed|count,result.changes.files.removed|count,result.changes.tables.added|count,result.changes.tables.changed|count,result.changes.tables.removed|count'
  local -a f=("${RUI_OUT[@]}")
  outcome=${f[0]}
  _rui_page "$title" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN"
  _rui_check_boxes "$RUI_JOB" result.groups
  _rui_add ''
  if [[ -n ${f[1]} ]]; then _rui_say would_change_files "${f[@]:1:3}"; _rui_add "$RUI_SAID"; fi
  if [[ -n ${f[4]} ]]; then _rui_say would_change_tables "${f[@]:4:3}"; _rui_add "$RUI_SAID"; fi
  _rui_say "validation_$outcome"
  _rui_mark "$outcome"
  _rui_prose "$RUI_MARK " '  ' "$RUI_SAID"
  if [[ $outcome == fail ]]; then
    RUI_TOP=0
    _rui_accept
    return
  fi
  _rui_say keys_continue
  RUI_FOOT=$RUI_SAID
  _rui_ask c q || return 1
  [[ $RUI_KEY == c ]]
}

# What failed, where it only has to be accepted: into RUI_OPTIONS. False: it was not, or there is more.
_rui_accept() {
  if ! _rui_acceptable result.groups; then
    _rui_any_key || true
    return 1
  fi
  _rui_asks_to_accept || return 1
  RUI_OPTIONS+=(--accept "$RUI_ACCEPT")
}

# The words of what failed, where it only has to be accepted, into RUI_ACCEPT. False: nothing failed, or there is more.
_rui_acceptable() { # PLACE-OF-GROUPS
  local line outcome word words=''
  _rui_call status "$RUI_JOB" --tsv "$1.*.checks:outcome,figures.accept" || return 1
  for line in "${RUI_OUT[@]}"; do
    IFS=$'\t' read -r outcome word <<<"$line"
    [[ $outcome == fail ]] || continue
    [[ $word != - ]] || return 1
    words+=${words:+,}$word
  done
  RUI_ACCEPT=$words
  [[ -n $words ]]
}

# Whether the user accepts it, below the page.
_rui_asks_to_accept() {
  _rui_say keys_accept
  RUI_FOOT=$RUI_SAID
  _rui_ask a q || return 1
  [[ $RUI_KEY == a ]]
}

# The live site, looked at now.
_rui_verify() {
  _rui_say title_verify
  local title=$RUI_SAID
  _rui_choose_domain "$title" with-site || return 0
  _rui_say verifying
  _rui_job "$title" "$RUI_DOMAIN" "$RUI_SAID" verify "$RUI_DOMAIN" || return 0
  local job=$RUI_JOB
  _rui_page "$title" "$RUI_DOMAIN"
  _rui_check_boxes "$job" result.groups
  _rui_call status "$job" --field result.outcome
  _rui_add ''
  _rui_say "verification_${RUI_OUT[0]}"
  _rui_mark "${RUI_OUT[0]}"
  _rui_prose "$RUI_MARK " '  ' "$RUI_SAID"
  _rui_any_key || return 0
}
