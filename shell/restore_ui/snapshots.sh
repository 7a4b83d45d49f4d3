# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# Snapshots of a domain: going back to one, deleting one, making one.

_rui_snapshots() {
  local line path created form size expires files tables note=''
  _rui_say title_snapshots
  local title=$RUI_SAID
  _rui_choose_domain "$title" with-snapshots || return 0
  RUI_SOURCE_SHOWN=''
  while :; do
    local -a paths=()
    _rui_call snapshots "$RUI_DOMAIN" --tsv 'snapshots:path,created|moment,form,size|size,expires_in_s|duration,files|count,tables|count' ||
      { _rui_refused "$title"; return 0; }
    _rui_page "$title" "$RUI_DOMAIN"
    _rui_say snapshot_head
    _rui_add "$RUI_SAID"
    for line in "${RUI_OUT[@]}"; do
      IFS=$'\t' read -r path created form size expires files tables <<<"$line"
      paths+=("$path")
      # What a restore kept was not measured.
      [[ $size != '0 B' ]] || size=-
      _rui_say "form_$form"
      _rui_fill "$RUI_SAID" 22
      printf -v line '  %2d) %-19s %s %9s  %s' "${#paths[@]}" "$created" "$RUI_FILLED" "$size" "$expires"
      _rui_place "$line"
    done
    if ((${#paths[@]} == 0)); then
      _rui_say no_snapshots "$RUI_DOMAIN"
      _rui_prose '  ' '  ' "$RUI_SAID"
    fi
    _rui_say keys_snapshots
    RUI_FOOT=$RUI_SAID RUI_NOTE=$note note=''
    _rui_ask r d n q || return 0
    case $RUI_KEY in
      q) return 0 ;;
      n)
        _rui_create_snapshot || true
        continue
        ;;
    esac
    if ((${#paths[@]} == 0)); then
      _rui_say no_snapshots "$RUI_DOMAIN"
      note=$RUI_SAID
      continue
    fi
    path=${paths[RUI_CURSOR]}
    if [[ $RUI_KEY == r ]]; then
      _rui_roll_back "$path" || true
    else
      _rui_delete_snapshot "$path" || true
    fi
  done
}

_rui_roll_back() { # SNAPSHOT
  _rui_say title_rollback
  local title=$RUI_SAID
  _rui_page "$title" "$RUI_DOMAIN"
  _rui_say rollback_to
  _rui_add "$RUI_SAID" "  $1" ''
  _rui_say warn_rollback_now
  _rui_prose "${RUI_G[warn]} " '  ' "$RUI_SAID"
  _rui_yes || return 0
  _rui_call rollback "$RUI_DOMAIN" --snapshot "$1" --yes --detach --field job || { _rui_refused "$title"; return 0; }
  local job=${RUI_OUT[0]}
  _rui_watch "$job" || return 0
  _rui_result "$job"
}

_rui_delete_snapshot() { # SNAPSHOT
  _rui_say title_delete
  local title=$RUI_SAID
  _rui_page "$title" "$RUI_DOMAIN"
  _rui_add "  $1" ''
  _rui_say warn_delete
  _rui_prose "${RUI_G[warn]} " '  ' "$RUI_SAID"
  _rui_yes || return 0
  _rui_say deleting
  _rui_job "$title" "$RUI_DOMAIN" "$RUI_SAID" delete-snapshot "$RUI_DOMAIN" "$1" --yes
}
