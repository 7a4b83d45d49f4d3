#!/usr/bin/env bash
# RocketVPS's restore module. Every function asks the helper program `rocketvps-restore`: nothing is restored, decided or
# counted here.
#
# Source it; it works in shells with and without `set -e` and `set -u`, bash 4.4 and later. A function that gives data prints
# it alone on standard output and without spaces, because callers split it into words. What people read of such a function,
# and every error, goes to standard error. A function returns 0, or 1 when it did not do what it is for.
#
# RESTORE_HELPER names the helper where it is not in PATH. restore.toml is read as usual ($RV_CONFIG); a variable of the list
# below goes over it where its value is not the default.

# Calls a function with name, default and setting of each variable; those without a setting are for callers alone.
_restore_variables() { # FUNCTION
  "$1" BACKUP_BASE_DIR /opt/rocketvps/backups paths.backups &&
    "$1" SNAPSHOT_DIR /opt/rocketvps/snapshots paths.snapshots &&
    "$1" RESTORE_LOG_DIR /opt/rocketvps/restore_logs paths.logs &&
    "$1" RESTORE_TEMP_DIR /tmp/rocketvps_restore '' &&
    "$1" RESTORE_TIMEOUT 1800 limits.restore_timeout_s &&
    "$1" MAX_RETRIES 3 limits.max_retries &&
    "$1" SNAPSHOT_RETENTION 24 limits.snapshot_retention_h &&
    "$1" VERIFY_TIMEOUT 300 limits.verify_timeout_s
}

_restore_default() { # NAME DEFAULT
  [[ -n ${!1:-} ]] || printf -v "$1" '%s' "$2"
}

# --- what people read ---------------------------------------------------------------------------------------------------

# A line on standard error. Colours are the caller's, and may be written with a backslash.
_restore_say() { # COLOUR TEXT
  if [[ -n $1 && -t 2 && -z ${NO_COLOR:-} ]]; then
    printf '%b%s%b\n' "$1" "$2" "${NC:-\\033[0m}" >&2
  else
    printf '%s\n' "$2" >&2
  fi
}

_restore_warn() { # TEXT
  _restore_say "${YELLOW:-}" "warning: $1"
}

# What is wrong, and what to do about it.
_restore_refuse() { # TEXT HINT
  _restore_say "${RED:-}" "restore: $1"
  _restore_say '' "  $2"
}

# --- the helper ---------------------------------------------------------------------------------------------------------

_restore_find_helper() {
  local candidate candidates=("${RESTORE_HELPER:-rocketvps-restore}")
  if [[ -z ${RESTORE_HELPER:-} ]]; then
    candidates+=(/usr/local/bin/rocketvps-restore /usr/bin/rocketvps-restore)
  fi
  for candidate in "${candidates[@]}"; do
    if type -P -- "$candidate"; then return 0; fi
  done
  _restore_refuse "the helper program ${candidates[0]@Q} was not found" \
    'Install rocketvps-restore, or set RESTORE_HELPER to its path.'
  return 1
}

# Adds to `settings` of the caller what goes over restore.toml.
_restore_setting() { # NAME DEFAULT KEY
  local value=${!1:-$2}
  if [[ -z $3 || $value == "$2" ]]; then return 0; fi
  if [[ $3 == limits.* && $value == *[!0123456789]* ]]; then
    _restore_refuse "$1 is ${value@Q}, which is no number" "Set it to a whole number, or unset it: the default is $2."
    return 1
  fi
  settings+=(--set "$3=$value")
}

# The helper does not get our standard input: it would eat the list that a caller loops over.
_restore_helper() { # COMMAND [OPTION...] [-- OPERAND...]
  local helper settings=()
  helper=$(_restore_find_helper) || return 1
  _restore_variables _restore_setting || return 1
  "$helper" --abi 1 "${settings[@]}" "$@" </dev/null
}

# --- arguments ----------------------------------------------------------------------------------------------------------

# The helper judges domains. But some of its words are calls too, when what follows looks like their JSON document.
_restore_domain() { # DOMAIN
  if [[ ${1:-} == [[:alnum:]_]* ]]; then return 0; fi
  _restore_refuse "${1@Q} is not a domain name" 'Give the domain as in example.com: letters, digits, dots and hyphens.'
  return 1
}

# Prints a path as the helper takes it: names alone are looked for in the domain's folder.
_restore_path() { # PATH
  if [[ $1 == */* && $1 != /* ]]; then printf '%s\n' "$PWD/$1"; else printf '%s\n' "$1"; fi
}

# Whether a path survives being split into words at spaces and bars.
_restore_is_one_word() { # PATH
  [[ $1 != *[[:space:]\|*?[\\]* ]]
}

# Sets `file`, `domain` and `base` of the caller: a backup, whose it is, and the folder of all backups that it lies in.
_restore_locate() { # BACKUP-FILE
  local name folder
  file=${1:-}
  [[ -z $file || $file == /* ]] || file=$PWD/$file
  if [[ ! -f $file ]]; then
    _restore_refuse "${file@Q} does not exist" 'restore_list_backups lists the backups of a domain.'
    return 1
  fi
  name=${file##*/} folder=${file%/*}
  domain=${folder##*/} base=${folder%/*}
  case $name in
    domain_?*_????????_??????.tar.gz)
      domain=${name#domain_}
      domain=${domain%_????????_??????.tar.gz}
      base=$folder
      ;;
    all_domains_*)
      _restore_refuse "${file@Q} holds many domains" "Name the one: rocketvps-restore preview DOMAIN ${file@Q}"
      return 1
      ;;
  esac
  base=${base:-/}
  _restore_domain "$domain"
}

# --- looking ------------------------------------------------------------------------------------------------------------

# What the engine makes itself when it needs it; here for callers that look into the folders.
restore_init_dirs() {
  local folder
  _restore_variables _restore_default
  for folder in "$SNAPSHOT_DIR" "$RESTORE_LOG_DIR" "$RESTORE_TEMP_DIR"; do
    [[ -d $folder ]] || command mkdir -p -m 0700 -- "$folder" || true
  done
  return 0
}

restore_list_backups() { # DOMAIN
  local found path paths=() others='' IFS=' '
  _restore_domain "${1:-}" || return 1
  found=$(_restore_helper list --tsv backups:path -- "$1") || return 1
  while IFS= read -r path; do
    if [[ ${path##*/} != backup_*.tar.gz ]]; then
      others=${path:+yes}
    elif [[ -f $path ]] && _restore_is_one_word "$path"; then
      paths+=("$path")
    else
      _restore_warn "left out of the list, because of the letters in its path: $path"
    fi
  done <<<"$found"
  if ((${#paths[@]} == 0)); then
    _restore_refuse "$1 has no backups" "${others:+Archives of other names are there: rocketvps-restore list $1}"
    return 1
  fi
  printf '%s\n' "${paths[*]}"
}

restore_get_backup_info() { # BACKUP-FILE
  local file domain base found path date size bytes integrity files tables
  _restore_locate "${1:-}" || return 1
  if ! _restore_is_one_word "$file"; then
    _restore_refuse "${file@Q} cannot be given in a list of words" "Ask for it by rocketvps-restore preview $domain ${file@Q}"
    return 1
  fi
  found=$(_restore_helper list --set "paths.backups=$base" --tsv backups:path,date,size_text,size,integrity,file_count,db_tables \
    -- "$domain") || return 1
  while IFS=$'\t' read -r path date size bytes integrity files tables; do
    if [[ $path -ef $file ]]; then
      [[ $files != - ]] || files=unknown
      [[ $tables != - ]] || tables=unknown
      printf '%s|%s|%s|%s|%s|%s|%s\n' "$file" "$date" "$size" "$bytes" "$integrity" "$files" "$tables"
      return 0
    fi
  done <<<"$found"
  _restore_refuse "${file@Q} is no backup of $domain" "restore_list_backups $domain lists them."
  return 1
}

# What the engine warns of is for the eye.
restore_preview_backup() { # BACKUP-FILE
  local file domain base found has_database=0 has_config=0 line
  local -a fields
  _restore_locate "${1:-}" || return 1
  found=$(_restore_helper preview --set "paths.backups=$base" \
    --field 'files.count,database.tables,config.#,files.by_type.php,files.by_type.js,files.by_type.css,files.by_type.images' \
    --field files.folders --tsv warnings: -- "$domain" "$file") || return 1
  mapfile -t fields <<<"$found"
  [[ -z ${fields[1]:-} ]] || has_database=1
  [[ ${fields[2]:-0} == 0 ]] || has_config=1
  for line in "${fields[@]:8}"; do _restore_warn "$line"; done
  printf '%s|%s|%s|%s|%s|%s|%s|%s\n' "${fields[0]}" "$has_database" "$has_config" "${fields[@]:3:5}"
}

restore_get_database_info() { # BACKUP-FILE
  local file domain base found
  local -a fields
  if _restore_locate "${1:-}" &&
    found=$(_restore_helper preview --set "paths.backups=$base" --field database.bytes_text,database.tables,database.rows \
      -- "$domain" "$file") && [[ -n $found ]]; then
    mapfile -t fields <<<"$found"
    printf '%s|%s|%s\n' "${fields[0]}" "${fields[1]:-0}" "${fields[2]:-0}"
    return 0
  fi
  printf '0|0|0\n'
  return 1
}

restore_validate_prerequisites() { # DOMAIN BACKUP-FILE
  _restore_domain "${1:-}" || return 1
  _restore_helper validate -- "$1" "$(_restore_path "${2:-}")" || return 1
}

restore_verify() { # DOMAIN
  _restore_domain "${1:-}" || return 1
  _restore_helper verify -- "$1" || return 1
}

# What a restore would change.
restore_diff() { # DOMAIN BACKUP-FILE
  _restore_domain "${1:-}" || return 1
  _restore_helper diff -- "$1" "$(_restore_path "${2:-}")" || return 1
}

restore_jobs() { # [DOMAIN]
  if [[ -z ${1:-} ]]; then
    _restore_helper jobs || return 1
  else
    _restore_domain "$1" && _restore_helper jobs -- "$1" || return 1
  fi
}

# --- changing -----------------------------------------------------------------------------------------------------------

restore_create_snapshot() { # DOMAIN
  _restore_domain "${1:-}" || return 1
  [[ ! -t 2 ]] || _restore_say "${CYAN:-}" "Saving the state of $1 ..."
  _restore_helper snapshot --field path -- "$1" || return 1
}

_restore_is_job() { # WORD
  [[ $1 =~ ^[0123456789]{8}_[0123456789]{6}_[0123456789abcdef]{12}$ ]]
}

_restore_has_snapshot() { # DOMAIN SNAPSHOT
  local found path
  [[ -d $2 ]] || return 1
  found=$(_restore_helper snapshots --tsv snapshots:path -- "$1") || return 1
  while IFS= read -r path; do
    if [[ $path -ef $2 ]]; then return 0; fi
  done <<<"$found"
  return 1
}

# Begins a job that changes a site, shows it to its end, and says how it ended, in the words of the job. A subshell: Ctrl+C is
# for the helper, which asks the job to stop. It must not end the shell between beginning the job and showing it.
_restore_change() ( # COMMAND [OPTION...] [-- OPERAND...]
  local found job state='' log='' went_on_with='' status=0
  local -a fields
  trap '' INT
  job=$(_restore_helper "$1" --detach --field job "${@:2}") || job=''
  if [[ -z $job ]]; then
    _restore_say "${YELLOW:-}" "No $1 was begun: the site is as it was."
    return 1
  fi
  _restore_helper attach --cancel-on-interrupt -- "$job" || status=$?
  if found=$(_restore_helper status --field state,log,result.went_on_with.job -- "$job"); then
    mapfile -t fields <<<"$found"
    state=${fields[0]:-} log=${fields[1]:-} went_on_with=${fields[2]:-}
  fi
  case $state in
    'done') status=0 ;;
    rolled_back | failed) _restore_say "${YELLOW:-}" "The site is as it was before the $1." ;;
    needs_operator) _restore_say "${RED:-}" 'The site could not be brought to either side: do what is said above.' ;;
    *) [[ $status == 0 ]] || _restore_say "${YELLOW:-}" "The $1 goes on as job $job: restore_jobs shows it, restore_cancel ends it." ;;
  esac
  [[ -z $went_on_with ]] || printf 'It went on with what job %s had staged.\n' "$went_on_with"
  [[ -z $log ]] || printf 'Log: %s\n' "$log"
  [[ $status == 0 ]]
)

_restore_execute() { # DOMAIN BACKUP-FILE SNAPSHOT [OPTION...]
  local options=("${@:4}")
  _restore_domain "$1" || return 1
  if [[ -n $3 ]] && _restore_has_snapshot "$1" "$3"; then
    options+=(--snapshot "$(_restore_path "$3")")
  elif [[ -n $3 ]]; then
    _restore_warn "${3@Q} is no snapshot of $1; the restore keeps the state before it all the same"
  fi
  _restore_change restore --yes "${options[@]}" -- "$1" "$(_restore_path "$2")"
}

restore_execute_full() { # DOMAIN BACKUP-FILE SNAPSHOT
  _restore_execute "${1:-}" "${2:-}" "${3:-}"
}

restore_execute_incremental() { # DOMAIN BACKUP-FILE SNAPSHOT FILES DATABASE CONFIG, each of the last three yes or no
  local parts=(files database config) answers=("${4:-}" "${5:-}" "${6:-}") at only=''
  for at in 0 1 2; do
    case ${answers[at]} in
      yes) only+=${only:+,}${parts[at]} ;;
      no) ;;
      *)
        _restore_refuse "${parts[at]}: ${answers[at]@Q} is neither yes nor no" 'Say yes or no for each; nothing was begun.'
        return 1
        ;;
    esac
  done
  if [[ -z $only ]]; then
    _restore_refuse 'neither files nor database nor configuration was chosen' 'Choose at least one of them; nothing was begun.'
    return 1
  fi
  _restore_execute "${1:-}" "${2:-}" "${3:-}" --only "$only"
}

# The engine finds what an interrupted restore had staged, and says in the end whether it went on with it.
restore_resume() { # DOMAIN BACKUP-FILE
  printf 'The same restore again: it goes on with what an interrupted one had staged, and begins anew where there is nothing.\n'
  _restore_execute "${1:-}" "${2:-}" ''
}

# To a snapshot of a domain, or with a job alone to the state before it.
restore_rollback() { # DOMAIN SNAPSHOT [LOG] | JOB '' [LOG]
  local log=${3:-} descriptor status
  _restore_domain "${1:-}" || return 1
  if [[ -z ${2:-} ]] && _restore_is_job "$1"; then
    set -- rollback --yes --job "$1"
  elif [[ -z ${2:-} ]]; then
    _restore_refuse 'which snapshot?' "Name its folder: rocketvps-restore snapshots $1 lists them."
    return 1
  else
    set -- rollback --yes --snapshot "$(_restore_path "$2")" -- "$1"
  fi
  if [[ -z $log ]]; then
    _restore_change "$@"
    return
  fi
  # Looked at again once it is open: a link planted in between must not lead us to another file.
  if [[ -L $log || (-e $log && ! -f $log) ]] || ! { exec {descriptor}>>"$log"; } 2>/dev/null ||
    [[ -L $log || ! "/dev/fd/$descriptor" -ef $log ]]; then
    [[ -z ${descriptor:-} ]] || exec {descriptor}>&-
    _restore_refuse "the log ${log@Q} is a link or cannot be written to" 'Name another file, or none; nothing was begun.'
    return 1
  fi
  if _restore_change "$@" 2>&1 | command tee -ai "/dev/fd/$descriptor"; then
    status=${PIPESTATUS[0]}
  else
    status=${PIPESTATUS[0]}
  fi
  exec {descriptor}>&-
  return "$status"
}

# A snapshot goes when its time is over, whatever came of the restore; here goes what is over now.
restore_cleanup() { # DOMAIN SNAPSHOT SUCCESS
  [[ -z ${2:-} || ! -d $2 ]] || printf 'The state before is kept until its time is over: %s\n' "$2"
  if ! _restore_domain "${1:-}" || ! _restore_helper cleanup -- "$1"; then
    _restore_warn 'nothing was cleaned up; the next cleanup does it'
  fi
  return 0
}

# The job of that name, or the one at work on the domain.
restore_cancel() { # JOB|DOMAIN
  local job=${1:-} kind state found
  _restore_domain "$job" || return 1
  if ! _restore_is_job "$job"; then
    found=$(_restore_helper jobs --tsv jobs:job,kind,state -- "$1") || return 1
    # At its end, read leaves nothing in `job`.
    while IFS=$'\t' read -r job kind state; do
      case $kind:$state in
        *:done | *:failed | *:rolled_back | *:needs_operator) ;;
        restore:* | rollback:* | snapshot:*) break ;;
      esac
    done <<<"$found"
    if [[ -z $job ]]; then
      _restore_refuse "nothing is at work on $1" "restore_jobs $1 lists its jobs."
      return 1
    fi
  fi
  _restore_helper cancel -- "$job" || return 1
}

_restore_variables _restore_default
export -f _restore_variables _restore_default _restore_say _restore_warn _restore_refuse _restore_find_helper _restore_setting \
  _restore_helper _restore_domain _restore_path _restore_is_one_word _restore_is_job _restore_locate _restore_has_snapshot _restore_change \
  _restore_execute restore_init_dirs restore_list_backups restore_get_backup_info restore_preview_backup \
  restore_get_database_info restore_validate_prerequisites restore_verify restore_diff restore_jobs restore_create_snapshot \
  restore_execute_full restore_execute_incremental restore_resume restore_rollback restore_cleanup restore_cancel
