# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# Choosing a domain and one of its backups, or a file that another program made.

# One of the page's places, by RUI_CURSOR; without any, the page says why. False: back.
_rui_choose_place() { # WHY-THERE-IS-NONE
  if ((${#RUI_PLACES[@]} == 0)); then
    _rui_prose '  ' '  ' "$1"
    _rui_any_key
    return 1
  fi
  _rui_say keys_choose
  RUI_FOOT=$RUI_SAID
  _rui_ask enter q || return 1
  [[ $RUI_KEY == enter ]]
}

# Into RUI_DOMAIN. False: back.
_rui_choose_domain() { # TITLE with-backups|with-site|with-snapshots (or a site to make one of)
  local line domain backups newest site snapshots
  local -a domains=() lines=() others=()
  _rui_call domains --tsv 'domains:domain,backups,newest|moment,has_site,snapshots' || { _rui_refused "$1"; return 1; }
  for line in "${RUI_OUT[@]}"; do
    IFS=$'\t' read -r domain backups newest site snapshots <<<"$line"
    case $2 in
      with-backups)
        if [[ $backups != 0 ]]; then
          lines+=("$line")
        # A site without backups has another file to come from.
        elif [[ $site == true ]] && _rui_may_name_files; then
          others+=("$line")
        fi
        ;;
      with-site) [[ $site != true ]] || lines+=("$line") ;;
      with-snapshots) [[ $site != true && $snapshots == 0 ]] || lines+=("$line") ;;
    esac
  done
  _rui_page "$1"
  _rui_say choose_domain
  _rui_add "$RUI_SAID" ''
  for line in "${lines[@]}" "${others[@]}"; do
    IFS=$'\t' read -r domain backups newest site snapshots <<<"$line"
    domains+=("$domain")
    _rui_say domain_line "$newest" "$backups"
    _rui_fill "$domain" 36
    printf -v line '  %2d) %s %s' "${#domains[@]}" "$RUI_FILLED" "$RUI_SAID"
    _rui_place "$line"
  done
  _rui_say no_domains
  _rui_choose_place "$RUI_SAID" || return 1
  RUI_DOMAIN=${domains[RUI_CURSOR]}
}

# Into RUI_SOURCE, the words that name it to the helper, and RUI_SOURCE_SHOWN. False: back.
_rui_choose_backup() { # TITLE
  local line path date size kind integrity files tables
  local -a paths=() dates=()
  _rui_call list "$RUI_DOMAIN" --tsv 'backups:path,date|moment,size|size,kind,integrity,file_count|count,db_tables|count' || {
    _rui_refused "$1"
    return 1
  }
  _rui_page "$1" "$RUI_DOMAIN"
  _rui_say backup_head
  _rui_add "$RUI_SAID"
  for line in "${RUI_OUT[@]}"; do
    IFS=$'\t' read -r path date size kind integrity files tables <<<"$line"
    paths+=("$path") dates+=("$date")
    _rui_say "kind_$kind"
    kind=$RUI_SAID
    _rui_say "integrity_$integrity"
    integrity=$RUI_SAID
    _rui_fill "$kind" 12
    kind=$RUI_FILLED
    _rui_fill "$integrity" 12
    printf -v line '  %2d) %-19s %9s  %s %s %s' "${#paths[@]}" "$date" "$size" "$kind" "$RUI_FILLED" "$files"
    _rui_place "$line"
  done
  if _rui_may_name_files; then
    _rui_say another_file
    printf -v line '  %2d) %s' $((${#paths[@]} + 1)) "$RUI_SAID"
    _rui_place "$line"
    _rui_say another_file_about
    _rui_add "      ${RUI_G[last]}$RUI_SAID"
  fi
  _rui_say no_backups "$RUI_DOMAIN"
  _rui_choose_place "$RUI_SAID" || return 1
  if ((RUI_CURSOR == ${#paths[@]})); then
    _rui_choose_file "$1"
    return
  fi
  RUI_SOURCE=("${paths[RUI_CURSOR]}") RUI_SOURCE_SHOWN=${dates[RUI_CURSOR]}
}

# The engine takes a path from root alone.
_rui_may_name_files() {
  ((EUID == 0))
}

# A file or folder from anywhere, as `restore --from` takes it. False: back.
_rui_choose_file() { # TITLE
  _rui_page "$1" "$RUI_DOMAIN"
  _rui_say file_kinds
  _rui_prose '  ' '  ' "$RUI_SAID"
  _rui_say file_beside
  _rui_add ''
  _rui_prose '  ' '  ' "$RUI_SAID"
  _rui_say type_path
  _rui_path_of_page "$RUI_SAID" || return 1
  RUI_SOURCE=(--from "$RUI_LINE") RUI_SOURCE_SHOWN=${RUI_LINE##*/} RUI_PREFIX_LEFT=''
  _rui_draw
  _rui_say type_dump
  _rui_path "$RUI_SAID" || return 1
  [[ -z $RUI_LINE ]] || RUI_SOURCE+=(--dump "$RUI_LINE")
  _rui_draw
  _rui_say type_prefix
  _rui_typed "$RUI_SAID" || return 1
  [[ -z $RUI_LINE ]] || RUI_SOURCE+=(--prefix "$RUI_LINE")
}

# The page, and the path that it asks for into RUI_LINE. False: back.
_rui_path_of_page() { # QUESTION
  RUI_FOOT='' RUI_NOTE=''
  _rui_draw
  if _rui_too_small; then return 1; fi
  _rui_path "$1" || return 1
  [[ -n $RUI_LINE ]]
}

# A word below the page into RUI_LINE, without the spaces around it. False: back.
_rui_typed() { # QUESTION
  if [[ -n $RUI_LIVE ]]; then printf '\e[%d;1H\e[K' "$RUI_ROWS"; fi
  _rui_line "$1" || return 1
  RUI_LINE=${RUI_LINE%"${RUI_LINE##*[! ]}"}
  RUI_LINE=${RUI_LINE#"${RUI_LINE%%[! ]*}"}
}

# A path, as a shell would have read it. False: back.
_rui_path() { # QUESTION
  _rui_typed "$1" || return 1
  if [[ ${RUI_LINE%%/*} == '~' ]]; then RUI_LINE=$HOME${RUI_LINE#'~'}; fi
}

# What the engine could not tell of such a file, asked of the user: one of the sites, folders, dumps or prefixes that the last job's error
# names. One more option in RUI_SOURCE. 1: there is nothing to ask; 2: back.
_rui_choose_of_file() { # TITLE
  local kind
  local -A options=([sites]=--site [roots]=--root [dumps]=--dump [databases]=--site [prefixes]=--prefix)
  [[ ${RUI_SOURCE[0]-} == --from ]] || return 1
  if _rui_call status "$RUI_JOB" --field error.context.password && [[ ${RUI_OUT[0]-} == wanted ]]; then
    _rui_choose_password "$1" || return 2
    return 0
  fi
  RUI_OUT=()
  for kind in sites roots dumps databases prefixes; do
    # One that was answered already is no question.
    ! _rui_was_told "${options[$kind]}" || continue
    _rui_call status "$RUI_JOB" --tsv "error.context.$kind:" || return 1
    ((${#RUI_OUT[@]} == 0)) || break
  done
  ((${#RUI_OUT[@]})) || return 1
  _rui_choose_one "$1" "$kind" "${RUI_OUT[@]}" || return 2
  RUI_SOURCE+=("${options[$kind]}" "$RUI_CHOSEN")
}

# Whether an option of the file was answered: by a choice, or by the choice to leave it.
_rui_was_told() { # OPTION
  [[ " ${RUI_SOURCE[*]:2} " == *" $1 "* || $1 == --prefix && -n $RUI_PREFIX_LEFT ]]
}

# Into RUI_CHOSEN. False: back.
_rui_choose_one() { # TITLE KIND VALUE...
  local kind=$2 line number=1
  _rui_page "$1" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN"
  shift 2
  _rui_say "choose_$kind"
  _rui_prose '' '' "$RUI_SAID"
  _rui_add ''
  for line; do
    printf -v line '  %2d) %s' "$number" "$line"
    _rui_place "$line"
    number=$((number + 1))
  done
  _rui_choose_place '' || return 1
  shift "$RUI_CURSOR"
  RUI_CHOSEN=$1
}

# Which of these prefixes the site's tables have, as one more option in RUI_SOURCE; or none of them. False: back.
_rui_choose_prefix() { # TITLE PREFIX...
  _rui_say prefix_none
  local none=$RUI_SAID
  _rui_choose_one "$1" prefixes "${@:2}" "$none" || return 1
  if [[ $RUI_CHOSEN == "$none" ]]; then RUI_PREFIX_LEFT=1; else RUI_SOURCE+=(--prefix "$RUI_CHOSEN"); fi
}

# The file with the password of a backup that is encrypted, as one more option in RUI_SOURCE. False: back.
_rui_choose_password() { # TITLE
  _rui_page "$1" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN"
  _rui_say password_wanted
  _rui_prose '  ' '  ' "$RUI_SAID"
  _rui_say type_password_file
  _rui_path_of_page "$RUI_SAID" || return 1
  RUI_SOURCE+=(--password-file "$RUI_LINE")
}
