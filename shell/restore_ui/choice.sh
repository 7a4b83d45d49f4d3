# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# Choosing a domain and one of its backups.

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
  local -a domains=()
  _rui_call domains --tsv 'domains:domain,backups,newest|moment,has_site,snapshots' || { _rui_refused "$1"; return 1; }
  _rui_page "$1"
  _rui_say choose_domain
  _rui_add "$RUI_SAID" ''
  for line in "${RUI_OUT[@]}"; do
    IFS=$'\t' read -r domain backups newest site snapshots <<<"$line"
    case $2 in
      with-backups) [[ $backups != 0 ]] || continue ;;
      with-site) [[ $site == true ]] || continue ;;
      with-snapshots) [[ $site == true || $snapshots != 0 ]] || continue ;;
    esac
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

# Into RUI_BACKUP and RUI_BACKUP_DATE. False: back.
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
  _rui_say no_backups "$RUI_DOMAIN"
  _rui_choose_place "$RUI_SAID" || return 1
  RUI_BACKUP=${paths[RUI_CURSOR]} RUI_BACKUP_DATE=${dates[RUI_CURSOR]}
}
