#!/usr/bin/env bats
# shell/restore.sh as a guest in somebody's shell: what it leaves alone, what it hands to the helper, and bad input. No site is
# needed: most of it runs on a stub that writes down how it was called.
# shellcheck disable=SC2016  # what stands in single quotes is for the shell that it is given to

bats_require_minimum_version 1.5.0
load helper

DATA=(restore_list_backups restore_get_backup_info restore_preview_backup restore_get_database_info restore_create_snapshot)
OTHERS=(restore_validate_prerequisites restore_execute_full restore_execute_incremental restore_rollback restore_verify
  restore_diff restore_resume restore_cancel)
VARIABLES=(BACKUP_BASE_DIR SNAPSHOT_DIR RESTORE_LOG_DIR RESTORE_TEMP_DIR RESTORE_TIMEOUT MAX_RETRIES SNAPSHOT_RETENTION
  VERIFY_TIMEOUT)

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  MODULE=$BATS_TEST_DIRNAME/../../shell/restore.sh
  STUB=$PWD/stub
  # A word a line, then what is on standard input. A job that is begun has a name.
  cat >"$STUB" <<'STUB'
#!/usr/bin/env bash
{ printf '%s\n' "$@"; cat; } >>"${BASH_SOURCE[0]%/*}/called"
[[ " $* " != *' --detach '* ]] || echo 20250101_000000_000000000001
STUB
  chmod +x "$STUB"
  BACKUP=$PWD/backups/shop.example/backup_20250101_120000.tar.gz
  mkdir -p "${BACKUP%/*}"
  : >"$BACKUP"
  printf '[paths]\nbase = "%s"\nweb_root = "%s/web"\n' "$PWD" "$PWD" >restore.toml
  export MODULE STUB BACKUP RV_CONFIG=$PWD/restore.toml
  unset "${VARIABLES[@]}" NO_COLOR RED GREEN YELLOW CYAN NC RESTORE_HELPER
}

# A shell that has sourced the module and nothing else.
module() { # COMMANDS [ARGUMENT...]
  bash -c 'source "$MODULE"; '"$1" bash "${@:2}"
}

# --- a guest ----------------------------------------------------------------------------------------------------------

@test "sourcing changes no option, trap, folder, mask or name beyond its own" {
  cat >look <<'LOOK'
look() {
  set -o; shopt; trap -p; pwd; umask; printf '%q\n' "$IFS"; alias
  compgen -v | grep -vE '^(BASH_|BASHPID$|_$|RANDOM$|SECONDS$|EPOCH|SRANDOM$|LINENO$|PIPESTATUS$|FUNCNAME$|when$)'
  compgen -A function
}
look >before
source "$MODULE"
look >after
LOOK
  for options in '' -u -e -f -eu; do
    bash --norc $options look
    run diff before after
    local new names=" ${VARIABLES[*]} "
    while read -r new; do
      case $new in
        '> restore_'* | '> _restore_'*) ;;
        '> '*) [[ $names == *" ${new#> } "* ]] ;;
        '< '*) return 1 ;;
      esac
    done <<<"$output"
  done
}

@test "sourcing says nothing, and twice is as good as once" {
  run -0 --separate-stderr module 'source "$MODULE"'
  [[ -z $output && -z $stderr ]]
}

@test "the variables have their defaults, and keep what the caller gave them" {
  run -0 module 'printf "%s " "$BACKUP_BASE_DIR" "$SNAPSHOT_DIR" "$RESTORE_LOG_DIR" "$RESTORE_TEMP_DIR" "$RESTORE_TIMEOUT" \
    "$MAX_RETRIES" "$SNAPSHOT_RETENTION" "$VERIFY_TIMEOUT"'
  [[ $output == '/opt/rocketvps/backups /opt/rocketvps/snapshots /opt/rocketvps/restore_logs /tmp/rocketvps_restore 1800 3 24 300 ' ]]
  SNAPSHOT_DIR=/srv/kept run -0 module 'printf "%s" "$SNAPSHOT_DIR"'
  [[ $output == /srv/kept ]]
}

@test "functions are exported: a shell that did not source the module can call them" {
  RESTORE_HELPER=$STUB run -0 module 'bash -uc "restore_verify shop.example"'
  grep -qx verify called
  run -0 bash -c 'source "$MODULE"; unset BACKUP_BASE_DIR; bash -uc "compgen -A function" | grep -c "^_\?restore_"'
  [[ $output == "$(grep -cE '^_?restore_[a-z_]+\(\) [{(]' "$MODULE")" ]]
}

@test "nothing that bash 4.4 does not have" {
  # ${x@U}, ${x@L}, ${x@K}, EPOCHSECONDS, SRANDOM, wait -p, local -, mapfile -d is 4.4, BASH_ARGV0, assoc_expand, ${ cmd; }
  run ! grep -nE '@[UuLKk]\}|EPOCH(SECONDS|REALTIME)|SRANDOM|wait -[a-z]*p|BASH_ARGV0|localvar_|assoc_expand|\$\{ |\$\{\||read -E|printf .%\(|declare -I|local -I' "$MODULE"
  [[ -z ${RV_BASH_44:-} ]] || RESTORE_HELPER=$STUB "$RV_BASH_44" -euc 'source "$MODULE"; restore_verify shop.example'
}

@test "its own words are ASCII, and it works in C and UTF-8 locales, whatever IFS is" {
  run ! env LC_ALL=C grep -n '[^[:print:][:space:]]' "$MODULE"
  cat >"$STUB" <<STUB
#!/usr/bin/env bash
printf '%s\n' "$BACKUP" "$BACKUP"
STUB
  local locale separator
  for locale in C C.UTF-8; do
    for separator in '' ',' / $' \t\n' _ .; do
      LC_ALL=$locale RESTORE_HELPER=$STUB run -0 module 'IFS=$1; restore_list_backups shop.example; [[ $IFS == "$1" ]]' "$separator"
      [[ $output == "$BACKUP $BACKUP" ]]
    done
  done
}

@test "callers with set -e, set -u and pipefail get an answer, not their end" {
  local options
  for options in -u -e -eu '-euo pipefail'; do
    run -0 bash -c 'set '"$options"'; source "$MODULE"; RESTORE_HELPER=$STUB
      SNAPSHOT_DIR=$PWD/s RESTORE_LOG_DIR=$PWD/l RESTORE_TEMP_DIR=$PWD/t restore_init_dirs; restore_verify a.example; restore_validate_prerequisites a.example "$BACKUP"; restore_cleanup a.example
      restore_jobs; restore_diff a.example "$BACKUP"; restore_create_snapshot a.example; restore_execute_full a.example "$BACKUP" /x
      restore_rollback a.example /x "$PWD/log"; restore_resume a.example "$BACKUP"; restore_preview_backup "$BACKUP"
      for f in "$@"; do if "$f"; then exit 9; fi; done
      printf "alive\n"' bash "${DATA[@]}" "${OTHERS[@]}"
    [[ $output == *alive && $output != *'unbound variable'* ]] || { printf '%s: %s\n' "$options" "$output"; return 1; }
  done
}

@test "restore_init_dirs makes the folders, closed to others, and is 0 where it cannot" {
  SNAPSHOT_DIR=$PWD/a/snapshots RESTORE_LOG_DIR=$PWD/a/logs RESTORE_TEMP_DIR=$PWD/a/tmp run -0 module restore_init_dirs
  [[ -z $output && $(stat -c %a a/snapshots a/logs a/tmp | sort -u) == 700 ]]
  : >file
  SNAPSHOT_DIR=$PWD/file/x RESTORE_LOG_DIR=$PWD/a/logs RESTORE_TEMP_DIR=$PWD/a/tmp run -0 module restore_init_dirs
}

# --- what the helper is given -----------------------------------------------------------------------------------------

@test "variables go over restore.toml where they are not the default, set before or after sourcing" {
  RESTORE_HELPER=$STUB MAX_RETRIES=7 run -0 module 'SNAPSHOT_DIR="/srv/my snapshots" RESTORE_TIMEOUT=60; restore_verify a.example'
  run -0 paste -sd '|' called
  [[ $output == '--abi|1|--set|paths.snapshots=/srv/my snapshots|--set|limits.restore_timeout_s=60|--set|limits.max_retries=7|verify|--|a.example' ]]
  rm called
  RESTORE_HELPER=$STUB BACKUP_BASE_DIR=/b RESTORE_LOG_DIR=/l SNAPSHOT_RETENTION=48 VERIFY_TIMEOUT=9 RESTORE_TEMP_DIR=/t run -0 module 'restore_verify a.example'
  run -0 paste -sd '|' called
  [[ $output == '--abi|1|--set|paths.backups=/b|--set|paths.logs=/l|--set|limits.snapshot_retention_h=48|--set|limits.verify_timeout_s=9|verify|--|a.example' ]]
  rm called
  RESTORE_HELPER=$STUB run -0 module 'restore_verify a.example'
  [[ $(paste -sd '|' called) == '--abi|1|verify|--|a.example' ]]
}

@test "the real helper takes every setting" {
  mkdir -p web/shop.example
  RESTORE_HELPER=$PREFIX/bin/rocketvps-restore BACKUP_BASE_DIR=$PWD/backups SNAPSHOT_DIR=$PWD/s RESTORE_LOG_DIR=$PWD/l \
    RESTORE_TIMEOUT=60 MAX_RETRIES=2 SNAPSHOT_RETENTION=48 VERIFY_TIMEOUT=9 run -0 module 'restore_list_backups shop.example'
  [[ $output == "$BACKUP" ]]
}

@test "a number that is none: the variable by its name, and nothing is called" {
  local name
  for name in RESTORE_TIMEOUT MAX_RETRIES SNAPSHOT_RETENTION VERIFY_TIMEOUT; do
    for bad in 'ten' '-5' '1.5' '1 2' '$(touch x)' 'a[$(touch x)]'; do
      RESTORE_HELPER=$STUB run -1 env "$name=$bad" bash -c 'source "$MODULE"; restore_execute_full a.example "$BACKUP"'
      [[ $output == *"$name"*number* && ! -e called && ! -e x ]]
    done
  done
}

@test "an only-a-file function asks for the domain of the file's folder, or of its name" {
  RESTORE_HELPER=$STUB run module 'restore_preview_backup "$BACKUP"; cd "${BACKUP%/*}"; restore_preview_backup "${BACKUP##*/}"'
  [[ $(grep -c -x "paths.backups=$PWD/backups" called) == 2 && $(grep -c -x "$BACKUP" called) == 2 && $(grep -cx shop.example called) == 2 ]]
  rm called
  : >"$PWD/backups/domain_my-shop.example_20250101_120000.tar.gz"
  RESTORE_HELPER=$STUB run module 'restore_preview_backup "$1"' "$PWD/backups/domain_my-shop.example_20250101_120000.tar.gz"
  grep -qx "paths.backups=$PWD/backups" called
  grep -qx my-shop.example called
}

@test "the helper does not eat the list that its caller loops over" {
  printf 'a.example\nb.example\n' >list
  RESTORE_HELPER=$STUB run -0 module 'while read -r domain; do restore_verify "$domain"; done <list'
  [[ $(grep -cx verify called) == 2 ]]
}

@test "the helper is looked for in RESTORE_HELPER, then in PATH" {
  mkdir bin
  cp "$STUB" bin/rocketvps-restore
  PATH=$PWD/bin:$PATH run -0 module 'restore_verify a.example'
  [[ -e bin/called && ! -e called ]]
  rm bin/called
  PATH=$PWD/bin:$PATH RESTORE_HELPER=$STUB run -0 module 'restore_verify a.example'
  [[ ! -e bin/called && -e called ]]
}

# --- bad input --------------------------------------------------------------------------------------------------------

@test "no helper: 1 and a sentence from every function, and no data" {
  local function expected
  for function in "${DATA[@]}" "${OTHERS[@]}" restore_jobs; do
    RESTORE_HELPER=/nowhere/helper run -1 --separate-stderr module "$function"' "$@"' shop.example "$BACKUP" '' yes yes yes
    case $function in
      restore_get_backup_info | restore_preview_backup | restore_get_database_info)
        RESTORE_HELPER=/nowhere/helper run -1 --separate-stderr module "$function"' "$BACKUP"'
        ;;
      restore_rollback) RESTORE_HELPER=/nowhere/helper run -1 --separate-stderr module 'restore_rollback shop.example /x' ;;
    esac
    case $function in
      restore_get_database_info) expected='0|0|0' ;;
      restore_resume) expected=$output ;;
      *) expected='' ;;
    esac
    [[ $output == "$expected" && $stderr == *helper*'was not found'*RESTORE_HELPER* ]] || { printf '%s: %s\n' "$function" "$stderr"; return 1; }
  done
}

@test "no helper in PATH either" {
  [[ ! -e /usr/local/bin/rocketvps-restore && ! -e /usr/bin/rocketvps-restore ]] || skip 'it is installed on this machine'
  mkdir bin
  local bash
  bash=$(type -P bash)
  PATH=$PWD/bin run -1 "$bash" -c 'source "$MODULE"; restore_verify a.example'
  [[ $output == *rocketvps-restore*'was not found'* ]]
}

@test "a helper of another version says so itself: 1, nothing done" {
  cat >"$STUB" <<STUB
#!/usr/bin/env bash
exec "$PREFIX/bin/rocketvps-restore" --abi 2 "\${@:3}"
STUB
  local function
  for function in restore_list_backups restore_verify restore_create_snapshot restore_execute_full restore_diff restore_cancel; do
    RESTORE_HELPER=$STUB run -1 --separate-stderr module "$function"' shop.example "$BACKUP"'
    [[ -z $output && $stderr == *abi_mismatch*'same package'* ]]
  done
  [[ ! -e restore_jobs ]]
}

@test "domains that are none are refused by every function, and nothing is executed" {
  local function domain
  local domains=('' ' ' - --json -h '{"domain":"shop.example","wait":true}' '[1]' ' {}' 'a;touch x' '$(touch x)' '`touch x`' "it's" 'a"b'
    '../shop.example' 'a b' '*' $'a\nb' $'\e[2Ja')
  mkdir -p web/shop.example
  for domain in "${domains[@]}"; do
    for function in restore_list_backups restore_create_snapshot "${OTHERS[@]}"; do
      RESTORE_HELPER=$PREFIX/bin/rocketvps-restore run -1 --separate-stderr module "$function"' "$@"' "$domain" "$BACKUP" '' yes yes yes
      [[ -n $stderr && $output$stderr != *$'\e'* && $output != *'{'* ]] || { printf '%s %q: %s\n' "$function" "$domain" "$output$stderr"; return 1; }
      [[ ! -e x ]]
    done
    RESTORE_HELPER=$PREFIX/bin/rocketvps-restore run -0 module 'restore_cleanup "$1" "" yes' "$domain"
  done
  # No word of these became a call.
  [[ -z $(find . -path './restore_jobs/2*') ]]
}

@test "paths are handed on as they are, and nothing in them is executed" {
  local strange='a $(touch x);`touch x`"'\''*.tar.gz'
  : >"backups/shop.example/$strange"
  RESTORE_HELPER=$STUB run module 'restore_validate_prerequisites shop.example "$1"' "$PWD/backups/shop.example/$strange"
  grep -qxF "$PWD/backups/shop.example/$strange" called
  RESTORE_HELPER=$STUB run module 'restore_preview_backup "$1"; restore_get_backup_info "$1"' "$PWD/backups/shop.example/$strange"
  rm called
  RESTORE_HELPER=$STUB run -0 module 'restore_diff shop.example --exact'
  [[ $(paste -sd ' ' called) == *' -- shop.example --exact' && ! -e x ]]
}

@test "end of input is no answer: nothing waits for one" {
  local function
  for function in "${OTHERS[@]}" restore_cleanup restore_jobs; do
    RESTORE_HELPER=$PREFIX/bin/rocketvps-restore run timeout 30 bash -c 'source "$MODULE"; "$@"' bash "$function" shop.example "$BACKUP" <&-
    [[ $status -ne 124 ]]
  done
}

# --- terminals --------------------------------------------------------------------------------------------------------

# The commands in a terminal of their own; what it shows is in `output`.
on_terminal() { # COMMANDS
  run script -qec "bash -c 'source \"\$MODULE\"; $1'" /dev/null </dev/null
}

@test "colours are the caller's: on a terminal, without NO_COLOR, and only when he has some" {
  RED='\033[0;31m' NC='\033[0m' on_terminal 'restore_verify -'
  [[ $output == *$'\e[0;31mrestore: '*$'\e[0m'* ]]
  RED=$'\e[0;31m' on_terminal 'restore_verify -'
  [[ $output == *$'\e[0;31mrestore: '*$'\e[0m'* ]]
  on_terminal 'restore_verify -'
  [[ $output != *$'\e'* ]]
  NO_COLOR=1 RED='\033[0;31m' on_terminal 'restore_verify -'
  [[ $output != *$'\e'* ]]
  RED='\033[0;31m' run module 'restore_verify -'
  [[ $output != *$'\e'* && $output != *033* ]]
}
