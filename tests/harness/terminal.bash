# shellcheck shell=bash
# A real terminal (tmux) of a server of its own: start a program in it, press keys, read the screen.
# TERMINAL names the server; it is ended by `terminal_end`.

terminal_start() { # COLUMNS ROWS PROGRAM [ARGUMENT...]
  local columns=$1 rows=$2
  shift 2
  TERMINAL=rv-$$-$RANDOM
  # tmux counts letters by the locale of its server.
  LC_ALL=C.UTF-8 tmux -L "$TERMINAL" -f /dev/null new-session -d -s main -x "$columns" -y "$rows" "$(printf '%q ' "$@")" 3>&- 4>&-
}

terminal_screen() {
  LC_ALL=C.UTF-8 tmux -L "$TERMINAL" capture-pane -p -t main
}

# Waits until the screen shows a text; prints the screen and fails when it does not within the time.
terminal_wait() { # TEXT [SECONDS]
  local until=$((SECONDS + ${2:-30})) screen
  while :; do
    screen=$(terminal_screen) || return 1
    [[ $screen == *"$1"* ]] && return 0
    if ((SECONDS >= until)); then
      printf 'waited in vain for %q; the screen:\n%s\n' "$1" "$screen" >&2
      return 1
    fi
    sleep 0.05
  done
}

terminal_keys() { # KEY...: words of tmux (Enter, C-c, NPage) or text
  local key
  for key; do tmux -L "$TERMINAL" send-keys -t main "$key"; done
}

terminal_resize() { # COLUMNS ROWS
  tmux -L "$TERMINAL" resize-window -t main -x "$1" -y "$2"
}

# The connection is lost: the terminal goes away under the program.
terminal_end() {
  [[ -z ${TERMINAL:-} ]] || tmux -L "$TERMINAL" kill-server 2>/dev/null || true
  TERMINAL=''
}
