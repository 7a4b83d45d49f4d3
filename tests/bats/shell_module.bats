#!/usr/bin/env bats
# shell/restore.sh as the menus in the field use it: what they capture, split and compare, on real backups and a real site.

# shellcheck disable=SC2207  # the menus split what they capture at spaces
bats_require_minimum_version 1.5.0
load helper

setup_file() {
  make_saved_world
  MODULE=$BATS_TEST_DIRNAME/../../shell/restore.sh
  BACKUP_BASE_DIR=$PLACE/base/backups
  SNAPSHOT_DIR=$PLACE/base/snapshots
  RESTORE_LOG_DIR=$PLACE/base/restore_logs
  RESTORE_TEMP_DIR=$FOLDER/tmp
  GUIDE=$(world backup "$PLACE" --layout guide --stamp 20250102_120000)
  SMART=$(world backup "$PLACE" --layout smart --stamp 20250103_120000)
  ALONE=$(world backup "$PLACE" --layout domain --stamp 20250104_120000)
  CORRUPT=$WORLD_BACKUPS/backup_20240101_120000.tar.gz
  head -c 3000000 "$BACKUP" >"$CORRUPT"
  export MODULE BACKUP_BASE_DIR SNAPSHOT_DIR RESTORE_LOG_DIR RESTORE_TEMP_DIR GUIDE SMART ALONE CORRUPT
}
teardown_file() { end_world; }

setup() {
  cd "$BATS_TEST_TMPDIR" || return 1
  # shellcheck source=/dev/null
  source "$MODULE"
  domain=$WORLD_DOMAIN
}

# What stands alone on the standard output of a function that gives data, and nothing of it for the eye.
is_one_word() { # TEXT
  [[ -n $1 && $1 != *[[:space:]]* && $1 != *$'\e'* ]]
}

# The site as an intruder left it, and what it looks like.
damaged() {
  world reset "$PLACE"
  world damage "$PLACE"
  remember
}

count_of() { # ARCHIVE PATTERN: files of the site that tar lists
  world expect "$PLACE" "$1" | grep -ac -- "^file.*$2"
}

# --- choosing a backup ------------------------------------------------------------------------------------------------

@test "the menu lists backups, newest first" {
  local backups=($(restore_list_backups "$domain"))
  [[ ${#backups[@]} -eq 4 ]]
  [[ "${backups[*]}" == "$SMART $GUIDE $BACKUP $CORRUPT" ]]
}

@test "a domain without backups: status 1, a sentence, nothing on standard output" {
  run -1 --separate-stderr restore_list_backups nothing.example
  [[ -z $output && $stderr == *nothing.example* ]]
}

@test "archives of other names are not in the list; where there are no others, it says where they are" {
  mkdir -p "$FOLDER/other"
  cp "$ALONE" "$FOLDER/other/"
  BACKUP_BASE_DIR=$FOLDER/other run -1 --separate-stderr restore_list_backups "$domain"
  [[ -z $output && $stderr == *"rocketvps-restore list $domain"* ]]
}

@test "a path that would fall into two words is left out of the list, with a warning" {
  mkdir -p "$FOLDER/my backups/$domain"
  cp "$BACKUP" "$FOLDER/my backups/$domain/"
  BACKUP_BASE_DIR="$FOLDER/my backups" run -1 --separate-stderr restore_list_backups "$domain"
  [[ -z $output && $stderr == *warning*"my backups"* ]]
  run -1 --separate-stderr restore_get_backup_info "$FOLDER/my backups/$domain/${BACKUP##*/}"
  [[ -z $output && $stderr == *"list of words"* ]]
}

@test "the menu shows date, size and counts of a backup" {
  restore_preview_backup "$BACKUP" 2>/dev/null
  local info=($(restore_get_backup_info "$BACKUP"))
  [[ ${#info[@]} -eq 1 ]]
  local file date size size_bytes integrity file_count db_tables
  IFS='|' read -r file date size size_bytes integrity file_count db_tables <<< "${info[0]}"
  [[ $file == "$BACKUP" && $date == 2025-01-01T12:00:00 && $integrity == valid ]]
  [[ $size_bytes == "$(stat -c %s "$BACKUP")" && $((size_bytes / 1024 / 1024)) -ge 1 ]]
  [[ $size == *[0-9]M ]]
  [[ $file_count == "$(count_of "$BACKUP" '')" && $db_tables == 17 ]]
}

@test "what nobody knows of a backup is unknown" {
  mkdir -p "$FOLDER/unread/$domain"
  cp "$BACKUP" "$FOLDER/unread/$domain/"
  run -0 restore_get_backup_info "$FOLDER/unread/$domain/${BACKUP##*/}"
  [[ $output == *'|unknown|unknown|unknown' ]]
  is_one_word "$output"
}

@test "of archives beside the folders of domains, and of damaged ones, the menu shows what is known" {
  run -0 restore_get_backup_info "$ALONE"
  [[ $output == "$ALONE|2025-01-04T12:00:00|"*M\|* ]]
  run -1 restore_preview_backup "$CORRUPT"
  run -0 restore_get_backup_info "$CORRUPT"
  is_one_word "$output"
}

@test "a backup that is missing: status 1 and nothing on standard output" {
  local function
  for function in restore_get_backup_info restore_preview_backup; do
    for file in "$WORLD_BACKUPS/backup_20200101_000000.tar.gz" '' "$WORLD_BACKUPS"; do
      run -1 --separate-stderr "$function" "$file"
      [[ -z $output && -n $stderr ]]
    done
  done
}

@test "the menu previews a backup of every layout" {
  local file expected
  for file in "$BACKUP" "$GUIDE" "$SMART" "$ALONE"; do
    local preview=($(restore_preview_backup "$file" 2>/dev/null))
    [[ ${#preview[@]} -eq 1 ]]
    local files has_db has_config php js css images dirs
    IFS='|' read -r files has_db has_config php js css images dirs <<< "${preview[0]}"
    [[ $files == "$(count_of "$file" '')" && $php == "$(count_of "$file" '\.php$')" && $css == "$(count_of "$file" '\.css$')" ]]
    case $file in
      "$BACKUP" | "$GUIDE") expected=11 ;;
      "$SMART") expected=10 ;;
      *) expected=00 ;;
    esac
    [[ "$has_db" -eq ${expected:0:1} && "$has_config" -eq ${expected:1:1} ]]
    [[ $js -gt 0 && $images -gt 0 && $dirs -gt 100 ]]
  done
}

@test "what the engine warns of goes to standard error" {
  run -0 --separate-stderr restore_preview_backup "$BACKUP"
  is_one_word "$output"
  [[ $stderr == *warning*'days old'* ]]
}

@test "a damaged backup cannot be previewed: status 1, the reason, no data" {
  run -1 --separate-stderr restore_preview_backup "$CORRUPT"
  [[ -z $output && $stderr == *backup_corrupt*"$CORRUPT"* ]]
}

@test "the menu shows the database of a backup, and 0|0|0 without one" {
  local db_info=($(restore_get_database_info "$BACKUP"))
  local db_size table_count row_estimate
  IFS='|' read -r db_size table_count row_estimate <<< "${db_info[0]}"
  [[ ${#db_info[@]} -eq 1 && $db_size == *[0-9]K && $table_count -eq 17 && $row_estimate -gt 1000 ]]
  run -1 --separate-stderr restore_get_database_info "$ALONE"
  [[ $output == '0|0|0' && -z $stderr ]]
  run -1 --separate-stderr restore_get_database_info "$CORRUPT"
  [[ $output == '0|0|0' && $stderr == *backup_corrupt* ]]
}

@test "an archive of all domains is asked about by the domain" {
  local all
  all=$(world backup "$PLACE" --layout all_domains --stamp 20250105_120000)
  run -1 --separate-stderr restore_preview_backup "$all"
  rm "$all"
  [[ -z $output && $stderr == *'many domains'*'preview DOMAIN'* ]]
}

# --- checks -----------------------------------------------------------------------------------------------------------

@test "prerequisites: a report and 0; with a damaged backup 1" {
  run -0 restore_validate_prerequisites "$domain" "$BACKUP"
  [[ $output == *'disk space'*integrity*services*conflicts* ]]
  # As the menu asks.
  if ! restore_validate_prerequisites "$domain" "$BACKUP" >/dev/null; then false; fi
  run -1 restore_validate_prerequisites "$domain" "$CORRUPT"
  [[ $output == *"the backup is damaged"* ]]
}

@test "verify: a report and 0; 1 when a check failed" {
  run -0 restore_verify "$domain"
  [[ $output == *'file integrity'*'database integrity'*configuration*'service status'* ]]
  printf 'bogus_directive on;\n' >>"$PLACE/nginx/sites-available/$domain"
  run -1 restore_verify "$domain"
}

@test "diff says what a restore would change, and changes nothing" {
  damaged
  run -0 restore_diff "$domain" "$BACKUP"
  [[ $output == *Files*index.php*Tables*wp_posts*Configuration* ]]
  is_unchanged
}

# --- the whole way, as the menu goes it -------------------------------------------------------------------------------

@test "snapshot: its path alone, with the files that the old engine's callers look for" {
  world reset "$PLACE"
  local snapshot_path
  snapshot_path=$(restore_create_snapshot "$domain")
  is_one_word "$snapshot_path"
  [[ $snapshot_path == "$SNAPSHOT_DIR/$domain/pre_restore_"* && -f $snapshot_path/files.tar.gz ]]
  run -1 --separate-stderr restore_create_snapshot nothing.example
  [[ -z $output && -n $stderr ]]
}

@test "the menu restores a damaged site: snapshot, restore, verify, cleanup" {
  local file snapshot_path
  for file in "$BACKUP" "$GUIDE"; do
    damaged
    # A damaged site can be saved where its database still answers.
    snapshot_path=$(restore_create_snapshot "$domain")
    if [[ -z "$snapshot_path" ]]; then false; fi
    if restore_execute_full "$domain" "$file" "$snapshot_path" >"$FOLDER/shown"; then
      if restore_verify "$domain" >/dev/null; then
        restore_cleanup "$domain" "$snapshot_path" "yes" >"$FOLDER/cleaned"
      fi
    fi
    digest_is "$GOOD"
    grep -qF "$snapshot_path" "$FOLDER/cleaned"
    [[ -d $snapshot_path ]]
  done
  # Lines, and no terminal's signs.
  grep -q 'restored from' "$FOLDER/shown"
  run ! grep -q $'[\e\r]' "$FOLDER/shown"
  # The log, where the menu looks for it.
  local log
  log=$(sed -n 's/^Log: //p' "$FOLDER/shown")
  [[ $log == "$RESTORE_LOG_DIR/$domain/restore_"*.log ]]
  find "$RESTORE_LOG_DIR" -name "*.log" | grep -qxF "$log"
}

@test "a smart backup: files and the tables it has" {
  damaged
  restore_execute_full "$domain" "$SMART" ''
  [[ $(world fetch "$PLACE" rv-probe.php) == 'RV files=backup db=backup'* ]]
}

@test "one part, the others stay as they are" {
  damaged
  run -0 restore_execute_incremental "$domain" "$BACKUP" '' no yes no
  files_are_unchanged
  config_is_unchanged
  run ! part_is database "$FOLDER/before.database"
  run -0 restore_execute_incremental "$domain" "$BACKUP" '' yes no yes
  digest_is "$GOOD"
}

@test "no part at all, or an answer that is none, is refused" {
  remember
  run -1 restore_execute_incremental "$domain" "$BACKUP" '' no no no
  [[ $output == *'Choose at least one'* ]]
  run -1 restore_execute_incremental "$domain" "$BACKUP" '' yes no
  [[ $output == *config*'neither yes nor no'* ]]
  # shellcheck disable=SC2016  # not to be expanded
  run -1 restore_execute_incremental "$domain" "$BACKUP" '' yes '$(touch x)' no
  [[ $output == *database*'neither yes nor no'* && ! -e x ]]
  is_unchanged
}

@test "a snapshot that is none: a warning, and the restore is made" {
  run -0 --separate-stderr restore_execute_incremental "$domain" "$BACKUP" /etc no no yes
  [[ $stderr == *warning*/etc* && $output == *'restored from'* ]]
}

@test "a damaged backup: 1, the reason, the log, and the site byte by byte as it was" {
  damaged
  run -1 restore_execute_full "$domain" "$CORRUPT" ''
  [[ $output == *backup_corrupt*'Choose another backup'* && $output == *'The site is as it was before the restore.'* ]]
  [[ $output == *"Log: $RESTORE_LOG_DIR/$domain/restore_"*_failed.log* ]]
  [[ -s $(sed -n 's/^Log: //p' <<<"$output") ]]
  is_unchanged
}

@test "a restore that was never begun says so" {
  remember
  run -1 restore_execute_full "$domain" "$WORLD_BACKUPS/backup_20200101_000000.tar.gz" ''
  [[ $output == *backup_not_found*'No restore was begun'* && $output != *Log:* ]]
  run -1 restore_execute_full "$domain" "$BACKUP.d/../../../../../etc/passwd" ''
  run -1 restore_execute_full "$domain" '' ''
  run -1 restore_execute_full "$domain"
  run -1 restore_execute_full
  is_unchanged
}

@test "rollback to a snapshot, with a log of the caller" {
  world reset "$PLACE"
  local snapshot_path
  snapshot_path=$(restore_create_snapshot "$domain")
  world damage "$PLACE"
  printf 'before\n' >own.log
  run -0 restore_rollback "$domain" "$snapshot_path" "$PWD/own.log"
  [[ $output == *'brought back from'* && $(head -n 1 own.log) == before ]]
  grep -q 'brought back from' own.log
  digest_is "$GOOD"
  # A menu globs folders, with a slash at their end.
  local listed=("$SNAPSHOT_DIR/$domain"/pre_restore_*/)
  world damage "$PLACE"
  restore_rollback "$domain" "${listed[0]}"
}

@test "rollback does not write its log through a link, nor to what is no file" {
  local snapshot_path
  snapshot_path=$(restore_create_snapshot "$domain")
  remember
  printf 'precious\n' >precious
  ln -s precious own.log
  mkfifo pipe
  # Open for reading, so that who opens it does not wait.
  local log reader
  exec {reader}<>pipe
  ln -s not-there dangling
  for log in own.log dangling pipe "$PWD" /nowhere/own.log; do
    run -1 restore_rollback "$domain" "$snapshot_path" "$log"
    [[ $output == *"nothing was begun"* ]]
  done
  exec {reader}>&-
  [[ $(<precious) == precious && ! -e not-there ]]
  is_unchanged
}

@test "rollback without a snapshot or to none: 1, and the site as it was" {
  remember
  run -1 restore_rollback "$domain" ''
  [[ $output == *'which snapshot'* ]]
  run -1 restore_rollback "$domain" "$SNAPSHOT_DIR/$domain/pre_restore_20200101_000000" own.log
  [[ $output == *snapshot_not_found* ]]
  grep -q snapshot_not_found own.log
  is_unchanged
}

@test "rollback with a job alone: to the state before it" {
  world reset "$PLACE"
  world damage "$PLACE"
  local damaged job
  damaged=$(world digest "$PLACE")
  restore_execute_full "$domain" "$BACKUP" ''
  job=$(_restore_helper jobs --field jobs.0.job -- "$domain")
  run -0 restore_rollback "$job"
  digest_is "$damaged"
  run -1 restore_rollback 20200101_000000_0123456789ab
  [[ $output == *job_not_found* ]]
}

@test "a snapshot that the menu deleted with rm -rf: cleanup finds what it kept" {
  world reset "$PLACE"
  restore_execute_full "$domain" "$BACKUP" ''
  [[ -n $(ls "$PLACE/web/.rocketvps-restore") ]]
  rm -rf "$SNAPSHOT_DIR/$domain"/pre_restore_*
  [[ -n $(world strays "$PLACE") ]]
  run -0 restore_cleanup "$domain" '' no
  [[ $output == *orphan* && -z $(world strays "$PLACE") ]]
}

@test "cleanup is 0 whatever happens" {
  run -0 restore_cleanup "$domain" /nowhere yes
  # shellcheck disable=SC2016  # not to be expanded
  run -0 restore_cleanup '$(touch x)' '' no
  [[ ! -e x ]]
  run -0 restore_cleanup
  RESTORE_HELPER=/nowhere run -0 restore_cleanup "$domain" '' yes
}

# --- jobs -------------------------------------------------------------------------------------------------------------

# Starts a restore in the background whose worker stands still; sets `job`, `worker`, `watcher` and `restore_pid`. With standard input
# it runs in a terminal, where that input is typed.
begin_and_hold() { # [INPUT]
  local tries=400
  rv jobs --tsv jobs:job -- "$domain" >"$FOLDER/jobs.before"
  if [[ -z ${1:-} ]]; then
    restore_execute_full "$domain" "$BACKUP" '' >"$FOLDER/shown" 2>&1 3>&- &
  else
    # shellcheck disable=SC2016  # expanded in the terminal
    script -qefc 'bash -c '\''source "$MODULE"; restore_execute_full "$WORLD_DOMAIN" "$BACKUP"; exit $?'\''' "$FOLDER/shown" <"$1" >/dev/null 3>&- &
  fi
  restore_pid=$!
  job=''
  while [[ -z $job ]]; do
    ((tries-- > 0)) || { cat "$FOLDER/shown"; return 1; }
    sleep 0.02
    job=$(rv jobs --tsv jobs:job,kind -- "$domain" | sed -n 's/\trestore$//p' | grep -vxFf "$FOLDER/jobs.before" || true)
  done
  until worker=$(worker_of "$job"); do ((tries-- > 0)) || return 1; done
  kill -STOP "$worker"
  until watcher=$(watcher_of "$job"); do ((tries-- > 0)) || return 1; done
}

# The helper that shows a job.
watcher_of() { # JOB
  local entry
  for entry in /proc/[0-9]*; do
    if [[ $(tr '\0' ' ' <"$entry/cmdline" 2>/dev/null) == *rocketvps-restore*" attach "*" $1 " ]]; then
      printf '%s\n' "${entry#/proc/}"
      return 0
    fi
  done
  return 1
}

@test "cancel by domain while it restores: 1, and the site as it was" {
  damaged
  local job worker watcher restore_pid
  begin_and_hold
  run -0 restore_jobs "$domain"
  [[ $output == *"$job"*restore* ]]
  run -1 restore_execute_full "$domain" "$BACKUP" ''
  [[ $output == *busy* ]]
  run -0 restore_cancel "$domain"
  [[ $output == *"$job"* ]]
  kill -CONT "$worker"
  local status=0
  wait "$restore_pid" || status=$?
  [[ $status -eq 1 ]]
  grep -q cancelled "$FOLDER/shown"
  grep -q 'The site is as it was before the restore' "$FOLDER/shown"
  is_unchanged
  # By the name of the job: it has ended.
  run -0 restore_cancel "$job"
  [[ $output == *'ended already'* ]]
}

@test "on a terminal: live progress; Ctrl+C brings the site back, and the caller goes on" {
  damaged
  local job worker watcher restore_pid keys tries=200
  mkfifo keys
  exec {keys}<>keys
  begin_and_hold keys
  printf '\003' >&"$keys"
  until grep -q Stopping "$FOLDER/shown"; do ((tries-- > 0)); sleep 0.05; done
  kill -CONT "$worker"
  local status=0
  wait "$restore_pid" || status=$?
  [[ $status -eq 1 ]]
  grep -q $'\r' "$FOLDER/shown"
  grep -q '% *\(planning\|staging\)' "$FOLDER/shown"
  grep -q 'The site is as it was before the restore' "$FOLDER/shown"
  exec {keys}>&-
  is_unchanged
}

@test "nothing to cancel: 1 and a sentence" {
  run -1 restore_cancel "$domain"
  [[ $output == *"nothing is at work on $domain"* ]]
  run -1 restore_cancel 20200101_000000_0123456789ab
  [[ $output == *job_not_found* ]]
  run -1 restore_cancel ''
}

@test "the helper killed while it watches: the restore goes on, and that is said" {
  damaged
  local job worker watcher restore_pid
  begin_and_hold
  kill -KILL "$watcher"
  local status=0
  wait "$restore_pid" || status=$?
  kill -CONT "$worker"
  [[ $status -eq 1 ]]
  grep -q "goes on as job $job" "$FOLDER/shown"
  run -0 rv wait "$job"
  digest_is "$GOOD"
}

@test "resume goes on with what a killed worker had staged, and says so" {
  damaged
  run -0 restore_resume "$domain" "$BACKUP"
  [[ $output == *'begins anew'* && $output != *'It went on'* ]]
  damaged
  local job worker watcher restore_pid
  begin_and_hold
  # Far enough for something to be staged, and no further: asking the helper takes as long as the rest of the restore on a busy machine.
  local made=$PLACE/base/restore_jobs/$job
  # It goes on by moments, and stands still while it is looked at.
  until [[ -e $made/journal && -n $(compgen -G "$PLACE/web/.rocketvps-restore/$job/tree/*") ]]; do
    kill -CONT "$worker"
    sleep 0.005
    kill -STOP "$worker"
  done
  # All who looked on go with it: whoever asks for the resumption is the first to come by.
  local onlookers
  read -ra onlookers <"/proc/$restore_pid/task/$restore_pid/children" || true
  kill -KILL "$restore_pid" "${onlookers[@]}" "$watcher"
  kill -KILL "$worker"
  wait "$restore_pid" || true
  # It holds the domain until the last of its threads is gone.
  while grep -qE '^(State:\s[^Z]|Threads:\s([2-9]|1[0-9]))' "/proc/$worker/status" 2>/dev/null; do sleep 0.02; done
  local tries=50
  run restore_resume "$domain" "$BACKUP"
  # What the kernel still takes apart of it has the lock for a moment longer.
  while [[ $output == *'busy: job'* ]] && ((tries-- > 0)); do
    sleep 0.1
    run restore_resume "$domain" "$BACKUP"
  done
  [[ $status -eq 0 ]] || { printf '%s\n' "$output"; return 1; }
  [[ $output == *"It went on with what job $job had staged."* ]] || { printf '%s\n' "$output"; return 1; }
  digest_is "$GOOD"
}

@test "jobs: of a domain, of all, of one that has none" {
  run -0 restore_jobs "$domain"
  [[ $output == *"$domain"* ]]
  run -0 restore_jobs
  [[ $output == *"$domain"* ]]
  run -0 restore_jobs nothing.example
  [[ $output == *'no jobs'* ]]
}
