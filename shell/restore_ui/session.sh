# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# The beginning, the main menu and the end.

# The terminal, the words, a private folder for answers; everything is put back when the subshell ends.
_rui_start() {
  RUI_LIVE='' RUI_STTY='' RUI_INTERRUPTED='' RUI_RESIZED='' RUI_PATIENCE=0.5 RUI_TTY=0
  RUI_DOMAIN='' RUI_SOURCE=() RUI_SOURCE_SHOWN='' RUI_ONLY='' RUI_PARTS=() RUI_TOUCHED='' RUI_OPTIONS=() RUI_PREFIX_LEFT=''
  [[ -t 0 && -t 1 ]] && RUI_LIVE=1
  _rui_wish
  _rui_letters
  _rui_words || return 1
  if ! RUI_TEMP=$(mktemp -d "${TMPDIR:-/tmp}/rocketvps-restore-ui.XXXXXX"); then
    _rui_say no_temp
    printf '%s\n' "$RUI_SAID" >&2
    return 1
  fi
  trap _rui_end EXIT
  trap 'exit 129' HUP
  trap 'exit 143' TERM
  trap 'exit 131' QUIT
  # Stopped, it would leave the terminal as it draws on it.
  trap '' TSTP
  trap RUI_INTERRUPTED=1 INT
  trap RUI_RESIZED=1 WINCH
  _rui_measure
  # Is there a helper, of our version, with a configuration that it can read?
  if ! _rui_call domains --field 'domains.#'; then
    _rui_say no_helper
    case ${RUI_ERR[0]:-} in
      *' '[a-z]*_*:*) RUI_SAID='' ;;
    esac
    _rui_refusal_lines
    printf '%s\n' ${RUI_SAID:+"$RUI_SAID"} "${RUI_BODY[@]}" >&2
    return 1
  fi
  if [[ -n $RUI_LIVE ]]; then
    RUI_STTY=$(stty -g)
    stty -echo
    # The other screen, so that what stood before is there again afterwards; no cursor.
    printf '\e[?1049h\e[?25l\e[H\e[2J'
    _rui_measure
  fi
}

_rui_end() {
  # A terminal that goes away says so twice: once to the shell above, once to the group.
  trap '' HUP INT TERM QUIT
  rm -rf "$RUI_TEMP"
  if [[ -n $RUI_LIVE ]]; then
    printf '\e[?25h\e[?1049l' 2>/dev/null
    [[ -z $RUI_STTY ]] || stty "$RUI_STTY" 2>/dev/null
  fi
}

_rui_menu() {
  local entry number
  local -a entries=(restore preview changes snapshots verify jobs logs recover rehearse)
  _rui_offer_running || return 0
  while :; do
    RUI_DOMAIN='' RUI_SOURCE=() RUI_SOURCE_SHOWN='' RUI_PARTS=() RUI_TOUCHED=''
    _rui_say title_menu
    _rui_page "$RUI_SAID"
    number=1
    for entry in "${entries[@]}"; do
      _rui_say "menu_$entry"
      _rui_place "  $number) $RUI_SAID"
      _rui_say "menu_${entry}_about"
      _rui_add "     ${RUI_G[last]}$RUI_SAID"
      number=$((number + 1))
    done
    # With 24 rows the foot alone says how to leave.
    if ((RUI_ROWS > 24)); then
      _rui_say menu_leave
      _rui_place "  0) $RUI_SAID"
    fi
    _rui_say keys_menu
    RUI_FOOT=$RUI_SAID
    if ! _rui_ask enter q 0 1 2 3 4 5 6 7 8 9; then
      _rui_say no_input
      printf '%s\n' "$RUI_SAID"
      return 0
    fi
    case $RUI_KEY in
      [1-9]) number=$RUI_KEY ;;
      enter) number=$((RUI_CURSOR + 1)) ;;
      *) return 0 ;;
    esac
    ((number <= ${#entries[@]})) || return 0
    "_rui_${entries[number - 1]}"
  done
}
