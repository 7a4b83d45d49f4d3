#!/usr/bin/env bats
# The completion, called as bash calls it: COMP_WORDS and COMP_CWORD in, COMPREPLY out. A stand-in for the helper says what
# there is, with names nobody would choose, and writes down how it was asked.

bats_require_minimum_version 1.5.0

setup() {
  FOLDER=$(mktemp -d /tmp/rv-bats.XXXXXX)
  HELPER=$FOLDER/rocketvps-restore
  cat >"$HELPER" <<'STUB'
#!/usr/bin/env bash
printf '%q ' "$@" >>"$ASKED"
printf '\n' >>"$ASKED"
echo 'complaints of the helper' >&2
while [[ ${1:-} == --* ]]; do shift 2; done
case "$1 ${2:-}" in
  'domains --tsv') printf '%s\n' example.com example.org shop.example 'a b' '$(touch pwned)' ;;
  'list example.com')
    printf '/srv/backups/example.com/%s\n' backup_20250102_000000.tar.gz backup_20250101_000000.tar.gz 'x;touch pwned'
    printf '/srv/backups/all_domains_20250101_000000.tar.gz\n'
    ;;
  'snapshots example.com') printf '/srv/snapshots/example.com/pre_restore_%s\n' 20250102 20250101 ;;
  'jobs --tsv' | 'jobs example.com') printf '20250101_000000_00000000000%s\t%s\n' 1 'done' 2 staging 3 failed ;;
  *) exit 12 ;;
esac
STUB
  chmod +x "$HELPER"
  export ASKED=$FOLDER/asked
  : >"$ASKED"
  COMPLETION=$BATS_TEST_DIRNAME/../../shell/completion/rocketvps-restore.bash
  cd "$FOLDER" || return 1
}

teardown() { rm -rf "$FOLDER"; }

# What TAB offers behind these words, the last of which is being typed; in lines. Every breath on standard error is a failure.
tab() { # WORD...
  # shellcheck disable=SC2016  # variables of the inner shell
  run -0 --separate-stderr bash --norc -uc 'source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2)); COMPREPLY=()
    _rocketvps_restore "$2" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
    for reply in ${COMPREPLY[@]+"${COMPREPLY[@]}"}; do printf "%s\n" "$reply"; done' tab "$COMPLETION" "$HELPER" "$@"
  [[ -z $stderr ]] || { printf 'said: %s\n' "$stderr"; return 1; }
}

offered() { # WORD...: exactly these, in any order
  diff <(printf '%s\n' "$@" | sort) <(sort <<<"${output?}")
}

@test "commands" {
  tab l
  offered list logs
  tab sn
  offered snapshot snapshots
  tab ''
  [[ ${#lines[@]} -eq 19 ]]
  tab --config /x.toml --json sta
  offered status
  tab list_backups ''
  offered ''
}

@test "options are those of the command and those of all" {
  tab list example.com --
  offered --config --set --json --field --tsv --abi --help --version
  tab rollback example.com --
  offered --job --snapshot --yes --detach --config --set --json --field --tsv --abi --help --version
  tab restore example.com --ex
  offered --exact --exclude-path --exclude-table --exclude-item
}

@test "domains, backups, snapshots and jobs that there are" {
  tab list exa
  offered example.com example.org
  tab restore example.com backup_
  offered backup_20250102_000000.tar.gz backup_20250101_000000.tar.gz
  tab restore example.com /srv/backups/a
  offered /srv/backups/all_domains_20250101_000000.tar.gz
  tab restore example.com --latest --table wp_posts --path '/x y' b
  offered backup_20250102_000000.tar.gz backup_20250101_000000.tar.gz
  tab delete-snapshot example.com ''
  offered pre_restore_20250102 pre_restore_20250101
  tab rollback example.com --snapshot p
  offered pre_restore_20250102 pre_restore_20250101
  tab status 2
  offered 20250101_000000_00000000000{1,2,3}
  tab attach 2
  offered 20250101_000000_000000000002
  tab rollback example.com --job 2
  offered 20250101_000000_00000000000{1,2,3}
  tab logs ''
  [[ $output == *shop.example* && $output == *20250101_000000_000000000003* ]]
  tab list example.com ''
  offered ''
}

@test "values of options" {
  tab restore example.com --only f
  offered files
  tab restore example.com --only files,d
  offered files,database
  tab restore example.com --item n
  offered nginx
  tab restore example.com --priority ''
  offered polite normal
  touch restore.toml 'odd name.toml'
  tab --config rest
  offered restore.toml
  tab --config odd
  offered 'odd name.toml'
  tab list example.com --field ''
  offered ''
}

@test "bash breaks words at = and : and they are one all the same" {
  tab restore example.com --only = 'fi'
  offered files
  tab restore example.com --only =
  offered files database config
  tab --set paths.backups = /x --tsv backups : path li
  offered list
  tab --set paths.backups = '/a\ b' --config = /r.toml list exam
  offered example.com example.org
  run -0 cat "$ASKED"
  [[ $output == '--set paths.backups=/a\ b --config /r.toml domains --tsv domains:domain '* ]]
}

@test "odd names are quoted, and nothing of them or of what was typed is executed" {
  tab list ''
  [[ ${lines[3]} == 'a\ b' && ${lines[4]} == '\$\(touch\ pwned\)' ]]
  tab list 'a\ '
  offered 'a\ b'
  tab list '"exa'
  offered example.com example.org
  tab list '"a'
  offered ''
  tab restore example.com x
  offered 'x\;touch\ pwned'
  # shellcheck disable=SC1003,SC2016  # not to be expanded
  for word in '$(touch pwned)' '`touch pwned`' ';touch pwned' '"$(touch pwned)' "'" '*' '[' '\' '$((x[$(touch pwned)]))'; do
    tab restore "$word" "$word"
    tab --config "$word" restore example.com --snapshot "$word"
    tab "$word"
    tab restore example.com "--$word" "$word"
  done
  [[ ! -e pwned ]]
}

@test "a helper that is missing or fails offers nothing and says nothing" {
  tab restore nowhere.example ''
  offered ''
  rm "$HELPER"
  tab list ''
  offered ''
  tab restore example.com ''
  offered ''
  tab sta
  offered status
}

@test "sourcing leaves nothing behind but names of its own" {
  # shellcheck disable=SC2016  # variables of the inner shell
  run -0 bash --norc -c 'before=$(set -o; shopt; trap; compgen -A function -A variable | sort)
    source "$1"; after=$(set -o; shopt; trap; compgen -A function -A variable | sort)
    diff <(printf "%s\n" "$before") <(printf "%s\n" "$after") | grep "^[<>]" | grep -vE "^> (_rocketvps_restore|before$|_$|PIPESTATUS|BASH_)" ; complete -p rocketvps-restore' x "$COMPLETION"
  [[ $output == 'complete -F _rocketvps_restore rocketvps-restore' ]]
}
