# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# What to restore: three components with toggles, and the folders, tables and configuration items within them.

# Into RUI_ONLY (components chosen) and RUI_PARTS (options of the helper; empty: the whole components). False: cancelled.
_rui_select() {
  local key files bytes tables dbsize configs estimate mark word names note=''
  RUI_PARTS=()
  _rui_preview_call --field 'files.count|count,files.bytes|size,database.tables|count,database.bytes|size,config.#' || return 1
  files=${RUI_OUT[0]} bytes=${RUI_OUT[1]} tables=${RUI_OUT[2]} dbsize=${RUI_OUT[3]} configs=${RUI_OUT[4]}
  declare -A has=([files]=$files [database]=$tables [config]=$configs) on=()
  for key in files database config; do
    [[ -z ${has[$key]} || ${has[$key]} == 0 ]] || on[$key]=1
  done
  local cursor=0
  while :; do
    _rui_say title_components
    _rui_page "$RUI_SAID" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN"
    RUI_CURSOR=$cursor
    _rui_say choose_components
    _rui_add "$RUI_SAID" ''
    local number=1 gap=''
    # With 24 rows there is no room between the choices.
    if ((RUI_ROWS >= 28)); then gap=1; fi
    for key in files database config; do
      case $key in
        files) _rui_say component_files "$files" "$bytes" ;;
        database) _rui_say component_database "${tables:-0}" "${dbsize:-0}" ;;
        config) _rui_say component_config "$configs" ;;
      esac
      mark=' '
      [[ -z ${on[$key]:-} ]] || mark=${RUI_G[tick]}
      _rui_place "  [$mark] $number. $RUI_SAID"
      _rui_say "component_${key}_about"
      [[ -n ${has[$key]} && ${has[$key]} != 0 ]] || _rui_say none_in_backup
      _rui_add "      ${RUI_G[last]}$RUI_SAID" ${gap:+''}
      number=$((number + 1))
    done
    mark=' '
    ((${#RUI_PARTS[@]} == 0)) || mark=${RUI_G[tick]}
    _rui_say component_custom
    _rui_place "  [$mark] $number. $RUI_SAID"
    _rui_say component_custom_about
    _rui_add "      ${RUI_G[last]}$RUI_SAID" ''
    _rui_rule
    names=''
    for key in files database config; do [[ -z ${on[$key]:-} ]] || names+=${names:+,}$key; done
    RUI_ONLY=$names
    if ((${#RUI_PARTS[@]})); then
      _rui_selected_summary
    else
      case $names in
        files,database,config) _rui_say selected_full ;;
        '') _rui_say selected_none ;;
        *)
          word=''
          for key in ${names//,/ }; do _rui_say "component_name_$key"; word+=${word:+, }$RUI_SAID; done
          _rui_say selected "$word"
          ;;
      esac
    fi
    _rui_add "$RUI_SAID"
    estimate=$names
    ((${#RUI_PARTS[@]} == 0)) || estimate=$RUI_TOUCHED
    if [[ -n $estimate ]] && _rui_preview_call --field "estimate.of.${estimate//,/+}|duration" && [[ -n ${RUI_OUT[0]} ]]; then
      word="~${RUI_OUT[0]}"
      ((${#RUI_PARTS[@]} == 0)) || { _rui_say at_most "$word"; word=$RUI_SAID; }
      _rui_say estimated_time "$word"
      _rui_add "$RUI_SAID"
    fi
    _rui_say keys_components
    RUI_FOOT=$RUI_SAID
    RUI_NOTE=$note note=''
    _rui_ask enter space c a q 1 2 3 4 || return 1
    cursor=$RUI_CURSOR
    case $RUI_KEY in
      [1-4]) cursor=$((RUI_KEY - 1)) RUI_KEY=enter ;;
    esac
    case $RUI_KEY in
      q) return 1 ;;
      c)
        if [[ -z $RUI_ONLY ]] && ((${#RUI_PARTS[@]} == 0)); then
          _rui_say nothing_selected
          note=$RUI_SAID
          continue
        fi
        return 0
        ;;
      a) _rui_select_parts || true ;;
      enter | space)
        if ((cursor == 3)); then
          _rui_select_parts || true
          continue
        fi
        set -- files database config
        shift "$cursor"
        if [[ -z ${has[$1]} || ${has[$1]} == 0 ]]; then
          _rui_say none_in_backup
          note=$RUI_SAID
          continue
        fi
        # Whole components and a choice of parts are two different things.
        RUI_PARTS=()
        if [[ -n ${on[$1]:-} ]]; then on[$1]=''; else on[$1]=1; fi
        ;;
    esac
  done
}

_rui_selected_summary() { # into RUI_SAID
  _rui_say selected_parts "$RUI_PARTS_FILES" "$RUI_PARTS_TABLES" "$RUI_PARTS_ITEMS"
}

# The options of the helper for what was selected, into RUI_OPTIONS.
_rui_selected_options() {
  if ((${#RUI_PARTS[@]})); then
    RUI_OPTIONS=("${RUI_PARTS[@]}")
  elif [[ $RUI_ONLY == files,database,config ]]; then
    RUI_OPTIONS=()
  else
    RUI_OPTIONS=(--only "$RUI_ONLY")
  fi
}

# Folders and files at the top, tables, items: each with its box. A folder stands for all below it.
_rui_select_parts() {
  local line name depth count bytes number kind cursor=0 top=0
  local -a kinds=() names=() texts=() chosen=() depths=()
  local -A known=()
  for line in "${RUI_PARTS[@]}"; do
    case $line in
      --*) kind=${line#--} ;;
      *) known[$kind/$line]=1 ;;
    esac
  done
  _rui_preview_call --tsv 'files.tree:path,depth,files|count,bytes|size' || return 1
  for line in "${RUI_OUT[@]}"; do
    IFS=$'\t' read -r name depth count bytes <<<"$line"
    ((depth <= 2)) || continue
    kinds+=(path) names+=("$name") depths+=("$depth")
    _rui_say files_and_size "$count" "$bytes"
    texts+=("$RUI_SAID")
  done
  _rui_preview_call --tsv 'database.table_list:name,rows|count,bytes|size' || return 1
  for line in "${RUI_OUT[@]}"; do
    IFS=$'\t' read -r name count bytes <<<"$line"
    kinds+=(table) names+=("$name") depths+=(0)
    _rui_say rows_and_size "$count" "$bytes"
    texts+=("$RUI_SAID")
  done
  _rui_preview_call --tsv 'config:item,name' || return 1
  local -A items=()
  for line in "${RUI_OUT[@]}"; do
    name=${line%%$'\t'*}
    if [[ -n ${items[$name]:-} ]]; then continue; fi
    items[$name]=1
    kinds+=(item) names+=("$name") depths+=(0)
    _rui_say "item_$name"
    texts+=("$RUI_SAID")
  done
  for ((number = 0; number < ${#names[@]}; number++)); do
    chosen[number]=${known[${kinds[number]}/${names[number]}]:-}
  done
  # What is below a chosen folder is chosen with it.
  for ((number = 0; number < ${#names[@]}; number++)); do
    if [[ -n ${chosen[number]} ]]; then _rui_choose_below "$number" 1; fi
  done
  while :; do
    _rui_say title_custom
    _rui_page "$RUI_SAID" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN"
    RUI_CURSOR=$cursor RUI_TOP=$top kind=''
    RUI_PARTS_FILES=0 RUI_PARTS_TABLES=0 RUI_PARTS_ITEMS=0
    for ((number = 0; number < ${#names[@]}; number++)); do
      if [[ ${kinds[number]} != "$kind" ]]; then
        kind=${kinds[number]}
        ((number == 0)) || _rui_add ''
        _rui_say "head_parts_$kind"
        case $kind in
          path) _rui_add "${RUI_G[files]}$RUI_SAID" ;;
          table) _rui_add "${RUI_G[database]}$RUI_SAID" ;;
          item) _rui_add "${RUI_G[config]}$RUI_SAID" ;;
        esac
      fi
      line=' '
      [[ -z ${chosen[number]} ]] || line=${RUI_G[tick]}
      printf -v name '%*s%s' $((depths[number] * 2)) '' "${names[number]}"
      [[ $kind != item ]] || name=${texts[number]}
      _rui_fill "  [$line] $name" 42
      if [[ $kind == item ]]; then _rui_place "$RUI_FILLED"; else _rui_place "$RUI_FILLED ${texts[number]}"; fi
    done
    _rui_collect_parts
    _rui_add ''
    _rui_rule
    _rui_selected_summary
    RUI_NOTE=$RUI_SAID
    _rui_say keys_custom
    RUI_FOOT=$RUI_SAID
    _rui_ask enter space c r q || return 1
    cursor=$RUI_CURSOR top=$RUI_TOP
    case $RUI_KEY in
      q)
        RUI_PARTS=()
        return 1
        ;;
      c) return 0 ;;
      r) for ((number = 0; number < ${#names[@]}; number++)); do chosen[number]=''; done ;;
      enter | space)
        if [[ -n ${chosen[cursor]} ]]; then
          chosen[cursor]=''
          _rui_choose_below "$cursor" ''
          # A folder of which something stays behind is not whole any more.
          for ((number = 0; number < cursor; number++)); do
            if [[ ${kinds[number]} == path && ${names[number]} == */ && ${names[cursor]} == "${names[number]}"* && ${kinds[cursor]} == path ]]; then
              chosen[number]=''
            fi
          done
        else
          chosen[cursor]=1
          _rui_choose_below "$cursor" 1
        fi
        ((cursor + 1 == ${#names[@]})) || cursor=$((cursor + 1))
        ;;
    esac
  done
}

# Everything below a folder. Reads and writes the caller's lists.
_rui_choose_below() { # NUMBER CHOSEN
  local at
  [[ ${kinds[$1]} == path && ${names[$1]} == */ ]] || return 0
  for ((at = $1 + 1; at < ${#names[@]}; at++)); do
    [[ ${kinds[at]} == path && ${names[at]} == "${names[$1]}"* ]] || break
    chosen[at]=$2
  done
}

# RUI_PARTS from the caller's lists: folders that are whole, without what is below them.
_rui_collect_parts() {
  local at above=''
  RUI_PARTS=() RUI_TOUCHED=''
  for ((at = 0; at < ${#names[@]}; at++)); do
    [[ -n ${chosen[at]} ]] || continue
    case ${kinds[at]} in
      path)
        if [[ -n $above && ${names[at]} == "$above"* ]]; then continue; fi
        [[ ${names[at]} != */ ]] || above=${names[at]}
        RUI_PARTS_FILES=$((RUI_PARTS_FILES + 1))
        ;;
      table) RUI_PARTS_TABLES=$((RUI_PARTS_TABLES + 1)) ;;
      item) RUI_PARTS_ITEMS=$((RUI_PARTS_ITEMS + 1)) ;;
    esac
    RUI_PARTS+=("--${kinds[at]}" "${names[at]}")
  done
  ((RUI_PARTS_FILES == 0)) || RUI_TOUCHED=files
  ((RUI_PARTS_TABLES == 0)) || RUI_TOUCHED+=${RUI_TOUCHED:+,}database
  ((RUI_PARTS_ITEMS == 0)) || RUI_TOUCHED+=${RUI_TOUCHED:+,}config
}
