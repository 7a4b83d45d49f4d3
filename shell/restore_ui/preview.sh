# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# What is in a backup: the seed's preview.

# Makes sure that the engine knows the backup, so that what is asked next comes at once. Where its tables do not begin as the site looks for
# them, the user says which are the site's. False: back, or its error has been shown.
_rui_know_backup() { # TITLE
  while :; do
    _rui_say reading_backup
    _rui_job "$1" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN" "$RUI_SAID" preview "$RUI_DOMAIN" "${RUI_SOURCE[@]}" || return 1
    if [[ ${RUI_SOURCE[0]} != --from ]] || _rui_was_told --prefix; then return 0; fi
    _rui_preview_call --tsv database.prefixes: || { _rui_refused "$1"; return 1; }
    ((${#RUI_OUT[@]})) || return 0
    _rui_choose_prefix "$1" "${RUI_OUT[@]}" || return 1
    [[ -z $RUI_PREFIX_LEFT ]] || return 0
  done
}

# What only the user can tell of another program's file is asked before anything else is made of it. False: back.
_rui_settle_file() { # TITLE
  [[ ${RUI_SOURCE[0]} != --from ]] || _rui_know_backup "$1"
}

# Fields of the preview, lines into RUI_OUT.
_rui_preview_call() { # OPTION...
  _rui_call preview "$RUI_DOMAIN" "${RUI_SOURCE[@]}" "$@"
}

# The page; the foot is the caller's.
_rui_preview_page() {
  local line key first
  _rui_say title_preview
  _rui_page "$RUI_SAID" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN"
  _rui_preview_call --field 'backup.date|moment,backup.size|size,backup.compression,backup.integrity,backup.kind,files.count|count,files.bytes|size,files.document_root,files.application.name,files.application.version,database.name,database.tables|count,database.bytes|size,database.rows|count,config.#,estimate.files_s|duration,estimate.database_s|duration,estimate.config_s|duration,estimate.verify_s|duration,estimate.total_s|duration,space.current_used|size,space.backup_size|size,space.unpacked|size,space.required|size,space.available|size,space.enough,chain.dump.name,chain.archives.#' ||
    return 1
  local -a f=("${RUI_OUT[@]}")
  _rui_say head_backup
  _rui_add "${RUI_G[info]}$RUI_SAID"
  _rui_say "integrity_${f[3]}"
  _rui_mark "$([[ ${f[3]} == valid ]] && printf pass || printf fail)"
  local integrity="$RUI_MARK $RUI_SAID" number=0
  for key in backup_date backup_size compression; do
    _rui_say "label_$key"
    _rui_pair "$RUI_SAID" "${f[number]}"
    number=$((number + 1))
  done
  _rui_say label_integrity
  _rui_pair "$RUI_SAID" "$integrity"
  _rui_say "kind_${f[4]}"
  line=$RUI_SAID
  _rui_say label_kind
  _rui_pair "$RUI_SAID" "$line"
  # A dump alone is no archive.
  if ((f[27] > 1)); then
    _rui_say chain_of "${f[27]}"
    _rui_pair '' "$RUI_SAID"
  fi
  _rui_add ''
  _rui_preview_files "${f[5]}" "${f[6]}" "${f[7]}" "${f[8]} ${f[9]}"
  _rui_add ''
  _rui_preview_database "${f[@]:10:4}"
  _rui_add ''
  _rui_say head_config
  _rui_add "${RUI_G[config]}$RUI_SAID"
  if [[ ${f[14]} == 0 ]]; then
    _rui_say none_in_backup
    _rui_add "   $RUI_SAID"
  fi
  _rui_preview_call --tsv 'config:item,name'
  for line in "${RUI_OUT[@]}"; do
    key=${line%%$'\t'*}
    _rui_say "item_$key"
    _rui_fill "   - $RUI_SAID" 24
    _rui_add "$RUI_FILLED (${line#*$'\t'})"
  done
  _rui_add ''
  _rui_say head_estimate
  _rui_add "${RUI_G[time]}$RUI_SAID"
  number=15
  for key in files database config verify total; do
    [[ -z ${f[number]} ]] || { _rui_say "label_$key"; _rui_pair "$RUI_SAID" "~${f[number]}"; }
    number=$((number + 1))
  done
  _rui_add ''
  _rui_say head_space
  _rui_add "${RUI_G[disk]}$RUI_SAID"
  for key in current_used backup_size unpacked required; do
    _rui_say "label_$key"
    _rui_pair "$RUI_SAID" "${f[number]}"
    number=$((number + 1))
  done
  if [[ ${f[25]} == true ]]; then first=${RUI_G[ok]}; else first=${RUI_G[bad]}; fi
  _rui_say label_available
  _rui_pair "$RUI_SAID" "${f[24]} $first"
  _rui_preview_call --tsv 'warnings:'
  if ((${#RUI_OUT[@]})); then
    local -a warnings=("${RUI_OUT[@]}")
    _rui_add ''
    for line in "${warnings[@]}"; do _rui_prose " ${RUI_G[warn]} " '   ' "$line"; done
  fi
}

# The tree: top folders, and what is in them one level deeper.
_rui_preview_files() { # COUNT BYTES ROOT APPLICATION
  local line path depth files bytes number branch next above=''
  local -a nodes=()
  _rui_say head_files "$1" "$2"
  _rui_add "${RUI_G[files]}$RUI_SAID" "   $3/"
  [[ $4 == ' ' ]] || _rui_add "   $4"
  _rui_preview_call --tsv 'files.tree:path,depth,files|count,bytes|size'
  for line in "${RUI_OUT[@]}"; do
    IFS=$'\t' read -r path depth files bytes <<<"$line"
    if [[ $path == */ ]] && ((depth < 2)); then nodes+=("$line"); fi
  done
  for ((number = 0; number < ${#nodes[@]}; number++)); do
    IFS=$'\t' read -r path depth files bytes <<<"${nodes[number]}"
    # The last of its level has nothing of that level behind it.
    branch=${RUI_G[tee]}
    next=$(_rui_next_depth "$number" "$depth")
    [[ $next == more ]] || branch=${RUI_G[last]}
    if ((depth == 0)); then
      if [[ $next == more ]]; then above=${RUI_G[bar]}; else above='    '; fi
      line="   $branch$path"
    else
      path=${path%/}
      line="   $above$branch${path##*/}/"
    fi
    _rui_fill "$line" 40
    _rui_say files_and_size "$files" "$bytes"
    _rui_add "$RUI_FILLED $RUI_SAID"
  done
}

# Whether a node of the same level comes behind this one, before one further out. Reads the caller's nodes.
_rui_next_depth() { # NUMBER DEPTH
  local at path depth rest
  for ((at = $1 + 1; at < ${#nodes[@]}; at++)); do
    # shellcheck disable=SC2034  # the rest of the line
    IFS=$'\t' read -r path depth rest <<<"${nodes[at]}"
    if ((depth < $2)); then break; fi
    if ((depth == $2)); then printf more; return; fi
  done
  printf last
}

_rui_preview_database() { # NAME TABLES BYTES ROWS
  local line name rows bytes
  _rui_say head_database
  _rui_add "${RUI_G[database]}$RUI_SAID"
  if [[ -z $2 ]]; then
    _rui_say none_in_backup
    _rui_add "   $RUI_SAID"
    return
  fi
  _rui_say label_database_name
  _rui_pair "$RUI_SAID" "${1:-?}"
  _rui_say label_tables
  _rui_pair "$RUI_SAID" "$2"
  _rui_say label_size
  _rui_pair "$RUI_SAID" "$3"
  _rui_say label_rows
  _rui_pair "$RUI_SAID" "$4"
  _rui_preview_call --tsv 'database.table_list:name,rows|count,bytes|size'
  _rui_say tables_of_backup
  _rui_add '' "   $RUI_SAID"
  for line in "${RUI_OUT[@]}"; do
    IFS=$'\t' read -r name rows bytes <<<"$line"
    _rui_fill "   - $name" 40
    _rui_say rows_and_size "$rows" "$bytes"
    _rui_add "$RUI_FILLED $RUI_SAID"
  done
}

# A backup is chosen and read, and its page made. False: back.
_rui_open_backup() { # TITLE
  _rui_choose_domain "$1" with-backups || return 1
  _rui_choose_backup "$1" || return 1
  _rui_know_backup "$1" || return 1
  _rui_preview_page || { _rui_refused "$1"; return 1; }
}

_rui_preview() {
  _rui_say title_preview
  local title=$RUI_SAID
  _rui_open_backup "$title" || return 0
  _rui_any_key || return 0
}
