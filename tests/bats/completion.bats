#!/usr/bin/env bats
# The completions of bash, zsh and fish, in these shells as they are installed, and in real terminals: TAB is pressed, and what
# then stands on the line is what the program gets. What the helper offers at which place, its own tests say
# (src/cli/complete.rs).

bats_require_minimum_version 1.5.0
# shellcheck source=/dev/null
source "$BATS_TEST_DIRNAME/../harness/terminal.bash"

SHELLS=(bash zsh fish)

setup() {
  FOLDER=$(mktemp -d /tmp/rv-bats.XXXXXX)
  COMPLETIONS=$(realpath "$BATS_TEST_DIRNAME/../../shell/completion")
  mkdir -p "$FOLDER/bin" "$FOLDER/home" "$FOLDER"/base/{backups,snapshots}/shop.example "$FOLDER/base/backups/other.example"
  cd "$FOLDER" || return 1
  touch base/backups/shop.example/backup_2025010{1,2}_000000.tar.gz "base/backups/shop.example/odd;touch pwned \$(touch pwned).tar.gz"
  mkdir base/snapshots/shop.example/pre_restore_20250101_000000
  touch base/snapshots/shop.example/pre_restore_20250101_000000/files.tar.gz
  # shellcheck disable=SC2016  # marks of the format
  printf '[paths]\nbase = "%s/base"\nweb_root = "%s/web"\n' "$FOLDER" "$FOLDER" >restore.toml
  export RV_CONFIG=$FOLDER/restore.toml HOME=$FOLDER/home
  # A job to be completed.
  JOB=$("$PREFIX/bin/rocketvps-restore" recover --detach --field job)
  "$PREFIX/bin/rocketvps-restore" wait "$JOB" >/dev/null
  # The program as the shells meet it: it answers completions, and writes down what else it is called with.
  cat >bin/rocketvps-restore <<STUB
#!/bin/sh
if [ "\$1" = complete ]; then exec "$PREFIX/bin/rocketvps-restore" "\$@"; fi
printf '%s\n' "\$@" >"$FOLDER/arguments.new"
mv "$FOLDER/arguments.new" "$FOLDER/arguments"
STUB
  chmod +x bin/rocketvps-restore
}

teardown() {
  terminal_end
  rm -rf "$FOLDER"
}

# A shell in a terminal, with the completion as a package installs it.
shell_start() { # SHELL
  local setting=(env -i "HOME=$HOME" "PATH=$FOLDER/bin:$PATH" TERM=xterm LC_ALL=C.UTF-8 "RV_CONFIG=$RV_CONFIG" INPUTRC=/dev/null)
  case $1 in
    bash)
      printf 'PS1="ready> "; source "%s/rocketvps-restore.bash"\n' "$COMPLETIONS" >"$FOLDER/bashrc"
      terminal_start 160 40 "${setting[@]}" bash --rcfile "$FOLDER/bashrc" -i
      ;;
    zsh)
      mkdir -p "$FOLDER/zdot"
      # shellcheck disable=SC2016  # zsh's variables
      printf 'PS1="ready> "; fpath=("%s" $fpath); autoload -Uz compinit; compinit -u -D\n' "$COMPLETIONS" >"$FOLDER/zdot/.zshrc"
      terminal_start 160 40 "${setting[@]}" ZDOTDIR="$FOLDER/zdot" zsh -d -i
      ;;
    fish)
      terminal_start 160 40 "${setting[@]}" fish --no-config --interactive --init-command \
        "function fish_prompt; echo 'ready> '; end; function fish_greeting; end; source '$COMPLETIONS/rocketvps-restore.fish'"
      ;;
  esac
  terminal_wait 'ready>'
}

# Types a text, presses TAB and ENTER; then this is what the program got, in lines.
types() { # SHELL TYPED WANTED
  local until=$((SECONDS + 20)) got
  rm -f arguments
  # What stands there when TAB is pressed is the whole text.
  terminal_keys "rocketvps-restore $2"
  terminal_wait "$2"
  terminal_keys Tab
  sleep 0.3
  terminal_keys Enter
  until [[ -e arguments ]]; do
    ((SECONDS < until)) || { printf '%s: %q: the program was not called; the screen:\n' "$1" "$2"; terminal_screen; return 1; }
    sleep 0.05
  done
  got=$(<arguments)
  [[ $got == "$3" ]] || { printf '%s: %q became %q, not %q\n' "$1" "$2" "$got" "$3"; terminal_screen; return 1; }
  tmux -L "$TERMINAL" clear-history -t main
  terminal_keys C-l
}

# What TAB offers in bash behind these words, the last of which is being typed; in lines. Every breath on standard error is a failure.
tab() { # WORD...
  # shellcheck disable=SC2016  # variables of the inner shell
  run -0 --separate-stderr bash --norc -uc 'source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2)); COMPREPLY=()
    _rocketvps_restore "$2" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
    for reply in ${COMPREPLY[@]+"${COMPREPLY[@]}"}; do printf "%s\n" "$reply"; done' \
    tab "$COMPLETIONS/rocketvps-restore.bash" "$FOLDER/bin/rocketvps-restore" "$@"
  [[ -z $stderr ]] || { printf 'said: %s\n' "$stderr"; return 1; }
}

offered() { # WORD...: exactly these, in any order
  diff <(printf '%s\n' "$@" | sort) <(sort <<<"${output?}")
}

@test "TAB completes commands, options, values, files, domains, backups, snapshots, jobs and calls, in each shell" {
  local shell typed wanted
  for shell in "${SHELLS[@]}"; do
    shell_start "$shell"
    while IFS='|' read -r typed wanted; do
      types "$shell" "$typed" "${wanted// /$'\n'}"
    done <<LIST
dom|domains
--json ver|--json verify
help rec|help recover
call list_ba|call list_backups
list shop|list shop.example
restore shop.example --onl|restore shop.example --only
restore shop.example --priority pol|restore shop.example --priority polite
restore shop.example --priority=pol|restore shop.example --priority=polite
restore shop.example --only files,da|restore shop.example --only files,database
restore shop.example backup_20250101|restore shop.example backup_20250101_000000.tar.gz
restore shop.example $FOLDER/base/backups/shop.example/backup_20250102|restore shop.example $FOLDER/base/backups/shop.example/backup_20250102_000000.tar.gz
delete-snapshot shop.example pre|delete-snapshot shop.example pre_restore_20250101_000000
rollback shop.example --snapshot pre|rollback shop.example --snapshot pre_restore_20250101_000000
status 2|status $JOB
logs oth|logs other.example
--config rest|--config restore.toml
--config=rest|--config=restore.toml
attach 2|attach 2
LIST
    terminal_end
  done
}

@test "an odd name comes to the program as it is, in each shell, and nothing in it is executed" {
  local shell
  for shell in "${SHELLS[@]}"; do
    shell_start "$shell"
    types "$shell" 'restore shop.example odd' "restore
shop.example
odd;touch pwned \$(touch pwned).tar.gz"
    [[ ! -e pwned ]]
    terminal_end
  done
}

@test "what is offered is explained, where the shell has room for it" {
  local shell
  for shell in zsh fish; do
    shell_start "$shell"
    # zsh fills in what is common to both, and lists them at the second TAB.
    terminal_keys 'rocketvps-restore snap'
    terminal_wait 'restore snap'
    terminal_keys Tab Tab
    terminal_wait 'Save the live site'
    terminal_wait 'List the snapshots'
    terminal_end
  done
}

@test "a helper that is missing or fails offers nothing and says nothing, in each shell" {
  local shell
  for shell in "${SHELLS[@]}"; do
    printf '#!/bin/sh\necho nonsense >&2\nexit 12\n' >bin/rocketvps-restore
    shell_start "$shell"
    terminal_keys 'rocketvps-restore restore nowhere.example '
    terminal_wait 'restore nowhere.example'
    terminal_keys Tab Tab
    sleep 0.3
    rm bin/rocketvps-restore
    terminal_keys Tab Tab over
    terminal_wait 'nowhere.example over'
    [[ $(terminal_screen | grep -c .) -eq 1 ]] || { printf '%s:\n' "$shell"; terminal_screen; return 1; }
    terminal_end
  done
}

@test "fish completes without a terminal what it completes in one" {
  # shellcheck disable=SC2016  # variables of the inner shell
  run -0 env "PATH=$FOLDER/bin:$PATH" fish --no-config -c 'source $argv[1]; complete --do-complete "rocketvps-restore restore shop.example --only=files,"' \
    "$COMPLETIONS/rocketvps-restore.fish"
  [[ ${lines[0]} == --only=files,database* && ${lines[1]} == --only=files,config* && ${#lines[@]} -eq 2 ]]
}

# --- bash, called as bash calls a completion: COMP_WORDS and COMP_CWORD in, COMPREPLY out -----------------------------------

@test "bash breaks words at = and : and they are one all the same" {
  tab restore shop.example --only = 'fi'
  offered files
  tab restore shop.example --only =
  offered files database config
  tab --set paths.backups = /x --tsv backups : path li
  offered list
  tab --set paths.base = /nowhere list shop
  offered ''
  tab --config = restore.toml list shop
  offered shop.example
}

@test "in bash odd names are quoted, and nothing of them or of what was typed is executed" {
  tab restore shop.example odd
  offered 'odd\;touch\ pwned\ \$\(touch\ pwned\).tar.gz'
  tab list '"sh'
  offered shop.example
  tab restore shop.example '"odd'
  offered ''
  # shellcheck disable=SC1003,SC2016  # not to be expanded
  for word in '$(touch pwned)' '`touch pwned`' ';touch pwned' '"$(touch pwned)' "'" '*' '[' '\' '$((x[$(touch pwned)]))'; do
    tab restore "$word" "$word"
    tab --config "$word" restore shop.example --snapshot "$word"
    tab "$word"
    tab restore shop.example "--$word" "$word"
  done
  [[ ! -e pwned ]]
}

@test "files that bash completes are named as they are" {
  touch 'odd name.toml'
  tab --config odd
  offered 'odd name.toml'
  tab --config rest
  offered restore.toml
}

@test "sourcing leaves nothing behind in bash but names of its own" {
  # shellcheck disable=SC2016  # variables of the inner shell
  run -0 bash --norc -c 'before=$(set -o; shopt; trap; compgen -A function -A variable | sort)
    source "$1"; after=$(set -o; shopt; trap; compgen -A function -A variable | sort)
    diff <(printf "%s\n" "$before") <(printf "%s\n" "$after") | grep "^[<>]" | grep -vE "^> (_rocketvps_restore|before$|_$|PIPESTATUS|BASH_)" ; complete -p rocketvps-restore' x "$COMPLETIONS/rocketvps-restore.bash"
  [[ $output == 'complete -F _rocketvps_restore rocketvps-restore' ]]
}

@test "the helper prints what is installed" {
  local place=$COMPLETIONS
  [[ $("$PREFIX/bin/rocketvps-restore" generate bash) == "$(<"$place/rocketvps-restore.bash")" ]]
  [[ $("$PREFIX/bin/rocketvps-restore" generate zsh) == "$(<"$place/_rocketvps-restore")" ]]
  [[ $("$PREFIX/bin/rocketvps-restore" generate fish) == "$(<"$place/rocketvps-restore.fish")" ]]
  [[ $("$PREFIX/bin/rocketvps-restore" generate man) == "$(<"$BATS_TEST_DIRNAME/../../docs/man/rocketvps-restore.1")" ]]
  run "$PREFIX/bin/rocketvps-restore" generate csh
  [[ $status -eq 2 && $output == *'man, bash, zsh and fish'* ]]
}
