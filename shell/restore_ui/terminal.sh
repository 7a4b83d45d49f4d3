# shellcheck shell=bash disable=SC2034,SC2153  # names are shared by the files of the menus
# The terminal of the menus: its size and letters, keys, pages that scroll, and everything that is drawn.
# Names begin with _rui_ (functions) and RUI_ (variables); all of it lives in the subshell of restore_main_menu.

# --- letters and colours ----------------------------------------------------------------------------------------------

# Whether a letter of two bytes is one letter here.
_rui_is_utf8() {
  local letter=$'\xc3\xa9'
  ((${#letter} == 1))
}

_rui_letters() {
  declare -gA RUI_G
  case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
    *[Uu][Tt][Ff]8* | *[Uu][Tt][Ff]-8*)
      # A locale that is named and not installed counts bytes; this one is everywhere.
      _rui_is_utf8 || export LC_ALL=C.UTF-8
      ;;
  esac
  if _rui_is_utf8; then
    RUI_UTF8=1
    RUI_G=([tl]='╔' [tr]='╗' [bl]='╚' [br]='╝' [dh]='═' [dv]='║' [h]='─' [v]='│' [ctl]='┌' [ctr]='┐' [cbl]='└' [cbr]='┘' [jl]='├' [jr]='┤'
      [tee]='├── ' [last]='└── ' [bar]='│   ' [ok]='✓' [tick]='✓' [bad]='✗' [warn]='⚠' [none]='–' [wait]='⏳' [pause]='⏸' [good]='✅'
      [more]='…' [up]='↑' [down]='↓' [info]='📊 ' [files]='📁 ' [database]='🗄️  ' [config]='⚙️  ' [time]='⏱️  ' [disk]='💾 ' [turn]='🔄 ')
  else
    RUI_UTF8=
    RUI_G=([tl]=+ [tr]=+ [bl]=+ [br]=+ [dh]='=' [dv]='|' [h]=- [v]='|' [ctl]=+ [ctr]=+ [cbl]=+ [cbr]=+ [jl]=+ [jr]=+
      [tee]='|-- ' [last]='\-- ' [bar]='|   ' [ok]=+ [tick]=x [bad]=x [warn]=! [none]=- [wait]='*' [pause]='=' [good]=+ [more]='~'
      [up]='^' [down]=v [info]='' [files]='' [database]='' [config]='' [time]='' [disk]='' [turn]='')
  fi
  RUI_RED='' RUI_GREEN='' RUI_YELLOW='' RUI_CYAN='' RUI_BOLD='' RUI_INVERSE='' RUI_PLAIN=''
  if [[ -n $RUI_LIVE && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
    RUI_RED=$'\e[31m' RUI_GREEN=$'\e[32m' RUI_YELLOW=$'\e[33m' RUI_CYAN=$'\e[36m' RUI_BOLD=$'\e[1m' RUI_INVERSE=$'\e[7m' RUI_PLAIN=$'\e[0m'
  fi
}

# Columns that a text takes: some pictures take two.
_rui_width() { # TEXT; into RUI_WIDTH
  RUI_WIDTH=${#1}
  [[ -n $RUI_UTF8 && $1 == *[📊📁💾⏳✅🔄]* ]] || return 0
  local wide=${1//[!📊📁💾⏳✅🔄]/}
  RUI_WIDTH=$((${#1} + ${#wide}))
}

_rui_cut() { # TEXT WIDTH; into RUI_TEXT_CUT
  RUI_TEXT_CUT=$1
  _rui_width "$1"
  while ((RUI_WIDTH > $2 && ${#RUI_TEXT_CUT} > 0)); do
    RUI_TEXT_CUT=${RUI_TEXT_CUT:0:${#RUI_TEXT_CUT}-(RUI_WIDTH-$2)}
    _rui_width "$RUI_TEXT_CUT"
    ((RUI_WIDTH == $2)) && RUI_TEXT_CUT=${RUI_TEXT_CUT:0:${#RUI_TEXT_CUT}-1}${RUI_G[more]}
    _rui_width "$RUI_TEXT_CUT"
  done
  return 0
}

_rui_fill() { # TEXT WIDTH; into RUI_FILLED: cut or filled up with spaces
  _rui_cut "$1" "$2"
  _rui_width "$RUI_TEXT_CUT"
  printf -v RUI_FILLED '%s%*s' "$RUI_TEXT_CUT" "$(($2 - RUI_WIDTH))" ''
}

_rui_repeat() { # LETTER COUNT; into RUI_REPEATED
  printf -v RUI_REPEATED '%*s' "$2" ''
  RUI_REPEATED=${RUI_REPEATED// /$1}
}

# --- size, keys ---------------------------------------------------------------------------------------------------------

_rui_measure() {
  RUI_ROWS=24 RUI_COLUMNS=80 RUI_RESIZED=
  if [[ -n $RUI_LIVE ]]; then
    local size
    size=$(stty size <&"$RUI_TTY" 2>/dev/null) || size='24 80'
    RUI_ROWS=${size% *} RUI_COLUMNS=${size#* }
    ((RUI_ROWS > 0 && RUI_COLUMNS > 0)) || RUI_ROWS=24 RUI_COLUMNS=80
  fi
  RUI_FRAME=$((RUI_COLUMNS < 66 ? RUI_COLUMNS : 66))
}

# One key into RUI_KEY: a letter, or up down pageup pagedown home end enter space escape, tick (nothing came), resize,
# interrupt (Ctrl+C), eof.
_rui_key() { # SECONDS
  local letter rest status waited=0
  RUI_KEY=tick
  if [[ -n $RUI_INTERRUPTED ]]; then RUI_INTERRUPTED='' RUI_KEY=interrupt; return 0; fi
  if [[ -n $RUI_RESIZED ]]; then _rui_measure; RUI_KEY=resize; return 0; fi
  IFS= read -rsn1 -t "$1" letter && waited=1
  status=$?
  if [[ -n $RUI_INTERRUPTED ]]; then RUI_INTERRUPTED='' RUI_KEY=interrupt; return 0; fi
  if [[ -n $RUI_RESIZED ]]; then _rui_measure; RUI_KEY=resize; return 0; fi
  if ((!waited)); then
    # Over 128: the time was up, or a signal came. Anything else: there is no more input.
    ((status > 128)) || RUI_KEY=eof
    return 0
  fi
  case $letter in
    '') RUI_KEY=enter ;;
    ' ') RUI_KEY=space ;;
    $'\x03') RUI_KEY=interrupt ;;
    $'\x04') RUI_KEY=eof ;;
    $'\e')
      # On a slow line the rest of a key comes a while later.
      IFS= read -rsn1 -t 0.2 rest
      if [[ $rest == '[' || $rest == O ]]; then
        IFS= read -rsn1 -t 0.2 rest
        case $rest in
          A) RUI_KEY=up ;;
          B) RUI_KEY=down ;;
          H) RUI_KEY=home ;;
          F) RUI_KEY=end ;;
          [0-9])
            # `ESC [ NUMBER ~`
            case $rest in
              1 | 7) RUI_KEY=home ;;
              4 | 8) RUI_KEY=end ;;
              5) RUI_KEY=pageup ;;
              6) RUI_KEY=pagedown ;;
              *) RUI_KEY=other ;;
            esac
            while [[ $rest != [~A-Za-z] ]] && IFS= read -rsn1 -t 0.2 rest; do :; done
            ;;
          # Left, right and their like: no choice, and no Q.
          *) RUI_KEY=other ;;
        esac
      elif [[ -n $rest ]]; then
        RUI_KEY=other
      else
        RUI_KEY=escape
      fi
      ;;
    *) RUI_KEY=${letter,,} ;;
  esac
}

# A line with echo into RUI_LINE. False at the end of input or with Ctrl+C.
_rui_line() { # QUESTION
  printf '%s' "$1"
  [[ -z $RUI_LIVE ]] || printf '\e[?25h'
  [[ -z $RUI_STTY ]] || stty "$RUI_STTY" <&"$RUI_TTY"
  local status=1 piece
  RUI_LINE=''
  # In pieces: bash hears of Ctrl+C only when a read is over.
  while [[ -z $RUI_INTERRUPTED ]]; do
    piece=''
    if IFS= read -r -t 0.5 piece; then
      status=0
    elif (($? > 128)); then
      RUI_LINE+=$piece
      continue
    fi
    RUI_LINE+=$piece
    break
  done
  [[ -z $RUI_STTY ]] || stty -echo <&"$RUI_TTY"
  [[ -z $RUI_LIVE ]] || printf '\e[?25l'
  if [[ -n $RUI_INTERRUPTED ]]; then RUI_INTERRUPTED='' status=1; fi
  return "$status"
}

# --- pages --------------------------------------------------------------------------------------------------------------

# A page is a title, an optional second line, a body and a foot. Its lines are made once and drawn as often as needed.
_rui_page() { # TITLE [SUBTITLE]
  RUI_TITLE=$1 RUI_SUBTITLE=${2:-} RUI_BODY=() RUI_PLACES=() RUI_FOOT='' RUI_NOTE='' RUI_TOP=0 RUI_CURSOR=0
}

_rui_add() { # TEXT...
  RUI_BODY+=("$@")
}

# A line that the cursor can stand on.
_rui_place() { # TEXT
  RUI_PLACES+=("${#RUI_BODY[@]}")
  RUI_BODY+=("$1")
}

# A sentence of any length, in lines of the page's width.
_rui_prose() { # FIRST-INDENT NEXT-INDENT TEXT
  local word line=$1 width=$((RUI_COLUMNS < 78 ? RUI_COLUMNS : 78)) started=
  # shellcheck disable=SC2086  # split at spaces; globs are off
  set -- "$2" $3
  local indent=$1
  shift
  for word; do
    if [[ -n $started ]] && ((${#line} + 1 + ${#word} > width)); then
      RUI_BODY+=("$line")
      line=$indent$word
    elif [[ -n $started ]]; then
      line+=" $word"
    else
      line+=$word
      started=1
    fi
  done
  RUI_BODY+=("$line")
}

# The frame around the title, of the seed.
_rui_header() { # into RUI_HEAD
  local inner=$((RUI_FRAME - 2)) line indent='              '
  _rui_repeat "${RUI_G[dh]}" "$inner"
  local rule=$RUI_REPEATED
  RUI_HEAD=("${RUI_G[tl]}$rule${RUI_G[tr]}")
  for line in "$RUI_TITLE" "$RUI_SUBTITLE"; do
    [[ -n $line ]] || continue
    ((${#line} + ${#indent} <= inner)) || indent=' '
    _rui_fill "$indent$line" "$inner"
    RUI_HEAD+=("${RUI_G[dv]}$RUI_FILLED${RUI_G[dv]}")
  done
  RUI_HEAD+=("${RUI_G[bl]}$rule${RUI_G[br]}")
}

# A line as it goes to the terminal: its mark coloured, its right frame at its column, whatever the terminal makes of pictures.
_rui_finish() { # TEXT; into RUI_FINISHED
  local text=$1 frame=
  if [[ -n $RUI_LIVE && -n $RUI_UTF8 && $text == *[📊📁💾⏳✅🔄⏸]*"${RUI_G[v]}" ]]; then
    frame=$'\e['$RUI_FRAME'G'${RUI_G[v]}
    text=${text%"${RUI_G[v]}"}
  fi
  if [[ -n $RUI_GREEN ]]; then
    text=${text/"${RUI_G[ok]}"/$RUI_GREEN${RUI_G[ok]}$RUI_PLAIN}
    text=${text/"${RUI_G[bad]}"/$RUI_RED${RUI_G[bad]}$RUI_PLAIN}
    text=${text/"${RUI_G[warn]}"/$RUI_YELLOW${RUI_G[warn]}$RUI_PLAIN}
  fi
  RUI_FINISHED=$text$frame
}

# The smallest terminal the screens are made for.
RUI_LEAST_COLUMNS=60 RUI_LEAST_ROWS=16

_rui_too_small() {
  [[ -n $RUI_LIVE ]] && ((RUI_COLUMNS < RUI_LEAST_COLUMNS || RUI_ROWS < RUI_LEAST_ROWS))
}

# Draws the page: title, as much of the body as fits, a rule, the foot.
_rui_draw() {
  local line number out='' room last=${#RUI_BODY[@]} left
  if _rui_too_small; then
    _rui_say too_small "$RUI_COLUMNS" "$RUI_ROWS" "$RUI_LEAST_COLUMNS" "$RUI_LEAST_ROWS"
    printf '\e[H\e[2J%s\r\n' "$RUI_SAID"
    return 0
  fi
  _rui_header
  local -a foot=()
  [[ -z $RUI_FOOT ]] || foot=("$RUI_FOOT")
  if [[ -z $RUI_LIVE ]]; then
    printf '%s\n' "${RUI_HEAD[@]}" '' "${RUI_BODY[@]}" '' "${foot[@]}" ${RUI_NOTE:+"$RUI_NOTE"}
    return 0
  fi
  room=$((RUI_ROWS - ${#RUI_HEAD[@]} - ${#foot[@]} - 2))
  if ((${#RUI_PLACES[@]})); then
    left=${RUI_PLACES[RUI_CURSOR]}
    ((left >= RUI_TOP)) || RUI_TOP=$left
    ((left < RUI_TOP + room)) || RUI_TOP=$((left - room + 1))
    # What stands above the first place is seen as long as there is room for it.
    ((RUI_CURSOR == 0 && left < room)) && RUI_TOP=0
  fi
  ((RUI_TOP + room <= last)) || RUI_TOP=$((last - room))
  ((RUI_TOP >= 0)) || RUI_TOP=0
  for line in "${RUI_HEAD[@]}"; do
    out+=$RUI_CYAN$line$RUI_PLAIN$'\e[K\r\n'
  done
  for ((number = RUI_TOP; number < RUI_TOP + room; number++)); do
    if ((number < last)); then
      _rui_cut "${RUI_BODY[number]}" "$RUI_COLUMNS"
      line=$RUI_TEXT_CUT
      if ((${#RUI_PLACES[@]})) && ((RUI_PLACES[RUI_CURSOR] == number)); then
        out+=$RUI_INVERSE'>'${line:1}$RUI_PLAIN$'\e[K\r\n'
      else
        _rui_finish "$line"
        out+=$RUI_FINISHED$'\e[K\r\n'
      fi
    else
      out+=$'\e[K\r\n'
    fi
  done
  _rui_repeat "${RUI_G[h]}" $((RUI_FRAME - 16))
  line=$RUI_REPEATED
  left=''
  ((RUI_TOP > 0)) && left+=" ${RUI_G[up]}"
  ((RUI_TOP + room < last)) && left+=" ${RUI_G[down]}"
  [[ -z $left ]] || printf -v left '%s %d/%d' "$left" $((RUI_TOP + room < last ? RUI_TOP + room : last)) "$last"
  out+=$RUI_CYAN$line$RUI_PLAIN$left$'\e[K\r\n'
  for line in "${foot[@]}"; do
    _rui_cut "$line" "$RUI_COLUMNS"
    out+=$RUI_BOLD$RUI_TEXT_CUT$RUI_PLAIN$'\e[K\r\n'
  done
  _rui_cut "$RUI_NOTE" $((RUI_COLUMNS - 1))
  # A terminal that is gone (a lost connection) is the end of the menus, not of the job.
  printf '\e[H%s%s\e[K\e[J' "$out" "$RUI_YELLOW$RUI_TEXT_CUT$RUI_PLAIN" 2>/dev/null || exit 129
}

# Shows the page until one of the given keys comes; it is then in RUI_KEY. Arrows move the cursor or the text; a number moves
# the cursor to that place. False at the end of input.
_rui_ask() { # KEY...
  local known key typed='' room redraw=1
  while :; do
    if [[ -n $redraw ]]; then _rui_draw; fi
    redraw=1
    _rui_key "$RUI_PATIENCE"
    key=$RUI_KEY
    room=$((RUI_ROWS - 8))
    if [[ $key == eof ]]; then return 1; fi
    if _rui_too_small && [[ $key != resize && $key != tick ]]; then
      # Nothing is chosen that cannot be read.
      if [[ $key == q || $key == interrupt ]]; then RUI_KEY=q; return 0; fi
      continue
    fi
    for known; do
      if [[ $key == "$known" ]]; then return 0; fi
    done
    RUI_NOTE=''
    case $key in
      tick | other) redraw='' ;;
      resize) ;;
      interrupt)
        RUI_KEY=q
        return 0
        ;;
      escape) for known; do [[ $known != q ]] || { RUI_KEY=q; return 0; }; done ;;
      up | k) if ((${#RUI_PLACES[@]})); then ((RUI_CURSOR == 0)) || RUI_CURSOR=$((RUI_CURSOR - 1)); else RUI_TOP=$((RUI_TOP - 1)); fi ;;
      down | j) if ((${#RUI_PLACES[@]})); then ((RUI_CURSOR + 1 == ${#RUI_PLACES[@]})) || RUI_CURSOR=$((RUI_CURSOR + 1)); else RUI_TOP=$((RUI_TOP + 1)); fi ;;
      pageup) if ((${#RUI_PLACES[@]})); then RUI_CURSOR=$((RUI_CURSOR > room ? RUI_CURSOR - room : 0)); else RUI_TOP=$((RUI_TOP - room)); fi ;;
      pagedown | space)
        if ((${#RUI_PLACES[@]})); then
          RUI_CURSOR=$((RUI_CURSOR + room < ${#RUI_PLACES[@]} ? RUI_CURSOR + room : ${#RUI_PLACES[@]} - 1))
        else
          RUI_TOP=$((RUI_TOP + room))
        fi
        ;;
      home) RUI_CURSOR=0 RUI_TOP=0 ;;
      end)
        RUI_TOP=${#RUI_BODY[@]}
        ((${#RUI_PLACES[@]} == 0)) || RUI_CURSOR=$((${#RUI_PLACES[@]} - 1))
        ;;
      [0-9])
        # A second digit belongs to the first as long as there are that many places.
        typed+=$key
        ((10#$typed >= 1 && 10#$typed <= ${#RUI_PLACES[@]})) || typed=$key
        if ((10#$typed >= 1 && 10#$typed <= ${#RUI_PLACES[@]})); then
          RUI_CURSOR=$((10#$typed - 1))
        else
          typed=''
          _rui_say no_choice "$key"
          RUI_NOTE=$RUI_SAID
        fi
        continue
        ;;
      enter)
        _rui_say choose_key
        RUI_NOTE=$RUI_SAID
        ;;
      *)
        _rui_say no_choice "${key//[[:cntrl:]]/?}"
        RUI_NOTE=$RUI_SAID
        ;;
    esac
    typed=''
    ((RUI_TOP >= 0)) || RUI_TOP=0
  done
}

# --- what pages are made of ---------------------------------------------------------------------------------------------

# `[=====>    ]`; the percentage is the engine's.
_rui_bar() { # PERCENT WIDTH; into RUI_BAR
  local done=$(($2 * ${1:-0} / 100)) head=
  ((done <= $2)) || done=$2
  ((done > 0 && done < $2)) && head='>'
  _rui_repeat '=' $((done - ${#head}))
  local body=$RUI_REPEATED$head
  printf -v RUI_BAR '[%s%*s]' "$body" $(($2 - done)) ''
}

# With `joined` the box stands on the one above, and has its upper line in common with it.
_rui_box_top() { # TITLE RIGHT [joined]
  local inner=$((RUI_FRAME - 4))
  _rui_repeat "${RUI_G[h]}" $((RUI_FRAME - 2))
  if [[ -n ${3:-} ]]; then
    RUI_BODY[-1]="${RUI_G[jl]}$RUI_REPEATED${RUI_G[jr]}"
  else
    _rui_add "${RUI_G[ctl]}$RUI_REPEATED${RUI_G[ctr]}"
  fi
  _rui_width "$2"
  local right=$RUI_WIDTH
  _rui_fill "$1" $((inner - right))
  _rui_add "${RUI_G[v]} $RUI_FILLED$2 ${RUI_G[v]}"
}

_rui_box_line() { # TEXT
  _rui_fill "$1" $((RUI_FRAME - 4))
  _rui_add "${RUI_G[v]} $RUI_FILLED ${RUI_G[v]}"
}

# A sentence in a box, in as many lines as it takes.
_rui_box_prose() { # MARK TEXT
  local width=$((RUI_FRAME - 4)) word line=$1
  # shellcheck disable=SC2086  # split at spaces; globs are off
  set -- $2
  line+=" ${1:-}"
  shift
  for word; do
    if ((${#line} + 1 + ${#word} > width)); then
      _rui_box_line "$line"
      line="  $word"
    else
      line+=" $word"
    fi
  done
  _rui_box_line "$line"
}

_rui_box_end() {
  _rui_repeat "${RUI_G[h]}" $((RUI_FRAME - 2))
  _rui_add "${RUI_G[cbl]}$RUI_REPEATED${RUI_G[cbr]}"
}

_rui_rule() {
  _rui_repeat "${RUI_G[h]}" $((RUI_FRAME - 2))
  _rui_add "$RUI_REPEATED"
}

# A label and its value in columns.
_rui_pair() { # LABEL VALUE
  _rui_fill "   $1" 22
  _rui_add "$RUI_FILLED $2"
}

# The mark of an outcome or state of the engine.
_rui_mark() { # OUTCOME; into RUI_MARK
  case $1 in
    pass | done | yes) RUI_MARK=${RUI_G[ok]} ;;
    warn) RUI_MARK=${RUI_G[warn]} ;;
    fail | failed | needs_operator) RUI_MARK=${RUI_G[bad]} ;;
    *) RUI_MARK=${RUI_G[none]} ;;
  esac
}
