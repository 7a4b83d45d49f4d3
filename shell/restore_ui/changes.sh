# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# What a restore would change: the comparison of a backup with the live site.

_rui_changes() {
  local line part change name what sign
  _rui_say title_changes
  local title=$RUI_SAID
  _rui_choose_domain "$title" with-backups || return 0
  _rui_choose_backup "$title" || return 0
  _rui_settle_file "$title" || return 0
  _rui_say comparing
  _rui_job "$title" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN" "$RUI_SAID" diff "$RUI_DOMAIN" "${RUI_SOURCE[@]}" --limit 1000 || return 0
  local job=$RUI_JOB
  _rui_page "$title" "$RUI_DOMAIN - $RUI_SOURCE_SHOWN"
  for part in files tables config; do
    _rui_call status "$job" --field "result.$part.added|count,result.$part.changed|count,result.$part.removed|count,result.$part.same|count,result.$part.kept|count,result.$part.total" \
      --tsv "result.$part.entries:change,path,name,what"
    local -a f=("${RUI_OUT[@]}")
    [[ -n ${f[3]} ]] || continue
    _rui_say "head_changes_$part"
    case $part in
      files) _rui_add "${RUI_G[files]}$RUI_SAID" ;;
      tables) _rui_add "${RUI_G[database]}$RUI_SAID" ;;
      config) _rui_add "${RUI_G[config]}$RUI_SAID" ;;
    esac
    _rui_say changes_count "${f[0]}" "${f[1]}" "${f[2]}" "${f[3]}" "${f[4]:-0}"
    _rui_add "   $RUI_SAID"
    for line in "${f[@]:6}"; do
      local path
      IFS=$'\t' read -r change path name what <<<"$line"
      case $change in
        added) sign=+ ;;
        changed) sign='~' ;;
        removed) sign=- ;;
        *) continue ;;
      esac
      [[ $path != - ]] || path=$name
      [[ $what == - ]] && what='' || what="  ($what)"
      _rui_add "   $sign $path$what"
    done
    _rui_add ''
  done
  _rui_any_key || true
}
