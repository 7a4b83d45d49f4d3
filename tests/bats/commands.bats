#!/usr/bin/env bats
# The helper's commands for people and shells: text, --json, --field, --tsv, questions on a terminal, exit codes.

bats_require_minimum_version 1.5.0
load helper
# shellcheck source=/dev/null
source "$BATS_TEST_DIRNAME/../harness/terminal.bash"

setup_file() {
  make_world
  # One that takes its time.
  mkdir "$WORLD_ROOT/wp-content/uploads/many"
  (cd "$WORLD_ROOT/wp-content/uploads/many" && seq -f 'picture-%05g.jpg' 1 30000 | xargs touch)
  world backup "$PLACE" --stamp 20240601_000000 >/dev/null
  rm -r "$WORLD_ROOT/wp-content/uploads/many"
  head -c 500000 "$BACKUP" >"$WORLD_BACKUPS/backup_20240101_120000.tar.gz"
  world damage "$PLACE"
  remember
}
teardown_file() { end_world; }
teardown() { terminal_end; }

# The helper in a terminal of its own, which says how it ended.
in_terminal() { # ARGUMENT...
  # shellcheck disable=SC2016  # the inner shell's
  terminal_start 80 24 env RV_CONFIG="$RV_CONFIG" LC_ALL=C.UTF-8 bash -c '"$@"; echo "ended with $?"; exec sleep 600' - "$PREFIX/bin/rocketvps-restore" "$@"
}

# The helper as cron starts it: no terminal, no input, next to no environment.
from_cron() { # ARGUMENT...
  run --separate-stderr env -i HOME=/ PATH=/usr/bin:/bin "RV_CONFIG=$RV_CONFIG" "$PREFIX/bin/rocketvps-restore" "$@" </dev/null
}

restores_so_far() {
  rv jobs "$WORLD_DOMAIN" --tsv 'jobs:kind' | grep -c '^restore$' || true
}

@test "what is answered at once is the document of its call" {
  local command call
  while IFS='|' read -r command call; do
    # shellcheck disable=SC2086  # words
    [[ -n $(rv $command --json) && $(rv $command --json) == "$(rv call $call "{\"domain\":\"$WORLD_DOMAIN\"}")" ]] || { printf '%s\n' "$command"; return 1; }
  done <<LIST
list $WORLD_DOMAIN|list_backups
snapshots $WORLD_DOMAIN|list_snapshots
logs $WORLD_DOMAIN|list_logs
LIST
  [[ $(rv domains --json) == *"$WORLD_DOMAIN"* && $(rv domains --json) == "$(rv call list_domains)" ]]
}

@test "text for people is no document, and fits a terminal" {
  local command
  for command in domains "list $WORLD_DOMAIN" "preview $WORLD_DOMAIN $(basename "$BACKUP")" "diff $WORLD_DOMAIN $(basename "$BACKUP")" \
    "snapshots $WORLD_DOMAIN" jobs logs; do
    # shellcheck disable=SC2086  # words
    run -0 rv $command
    [[ -n $output && $output != *'{"'* ]] || { printf '%s: %s\n' "$command" "$output"; return 1; }
  done
}

@test "--field and --tsv give what the document holds" {
  run -0 --keep-empty-lines rv preview "$WORLD_DOMAIN" "$(basename "$BACKUP")" --field 'files.count,files.count|count,backup.path,nothing.like.it' --tsv 'config:item,name'
  local wanted
  wanted=$(rv call preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"backup\":\"$BACKUP\",\"wait\":true}")
  [[ ${lines[0]} == "$(output=$wanted at data.files.count)" && ${lines[1]} == *,* && ${lines[2]} == "$BACKUP" && -z ${lines[3]} && ${lines[4]} == *$'\t'* ]]
  [[ $output == *$'nginx\t'* ]]
  # Calls have them too.
  run -0 rv call list_backups "{\"domain\":\"$WORLD_DOMAIN\"}" --tsv 'backups:name'
  [[ ${lines[0]} == backup_20250101_120000.tar.gz && ${lines[2]} == backup_20240101_120000.tar.gz ]]
}

@test "an error is name, reason and next step on standard error, its number the exit status; with --json the document" {
  run --separate-stderr rv preview "$WORLD_DOMAIN" backup_20240101_120000.tar.gz
  # shellcheck disable=SC2154  # set by run
  [[ $status -eq 22 && -z $output && $stderr == *backup_corrupt:*'ends inside the compressed data'*'Choose another backup'* && $stderr != *'{"'* ]]
  run --separate-stderr rv preview "$WORLD_DOMAIN" backup_20240101_120000.tar.gz --field files.count
  [[ $status -eq 22 && -z $output && $stderr == *backup_corrupt* ]]
  run rv preview "$WORLD_DOMAIN" backup_20240101_120000.tar.gz --json
  refused backup_corrupt
}

@test "what makes no sense is refused with the command's name, and nothing is done" {
  local before line
  before=$(restores_so_far)
  while IFS= read -r line; do
    # shellcheck disable=SC2086  # words
    run rv $line
    [[ $status -eq 2 && $output == *usage:* ]] || { printf '%s: %s %s\n' "$line" "$status" "$output"; return 1; }
  done <<LIST
restore $WORLD_DOMAIN
restore $WORLD_DOMAIN --latest
restore $WORLD_DOMAIN --latest --only mail --yes
restore $WORLD_DOMAIN a b --yes
list
list $WORLD_DOMAIN --yes
list $WORLD_DOMAIN --set nonsense
preview $WORLD_DOMAIN --latest --depth many
LIST
  run rv list "it's; touch $FOLDER/executed"
  [[ $status -eq 10 && $output == *'not a domain name'* ]]
  run rv list "\$(touch $FOLDER/executed)"
  [[ $status -eq 10 && ! -e $FOLDER/executed ]]
  [[ $(restores_so_far) -eq $before ]]
  is_unchanged
}

@test "--set goes over restore.toml, and a wrong key is named" {
  mkdir -p "$FOLDER/elsewhere/$WORLD_DOMAIN"
  cp "$BACKUP" "$FOLDER/elsewhere/$WORLD_DOMAIN/backup_20230101_000000.tar.gz"
  run -0 rv list "$WORLD_DOMAIN" --set "paths.backups=$FOLDER/elsewhere" --tsv 'backups:path'
  [[ $output == "$FOLDER/elsewhere/$WORLD_DOMAIN/backup_20230101_000000.tar.gz" ]]
  run rv list "$WORLD_DOMAIN" --set paths.bakups=/x
  [[ $status -eq 15 && $output == *bakups* ]]
}

@test "a caller of another version is told so" {
  run rv --abi 2 list "$WORLD_DOMAIN"
  [[ $status -eq 66 && $output == *abi_mismatch* ]]
}

@test "a dry run says what would change and changes nothing" {
  run -0 rv restore "$WORLD_DOMAIN" "$(basename "$BACKUP")" --dry-run
  [[ $output == *'dry run'* && $output == *'Files '* ]]
  is_unchanged
}

@test "a check that fails is said, and is the exit status, whatever the form of the answer" {
  local form
  for form in '' --json '--field outcome'; do
    # shellcheck disable=SC2086  # words
    run rv validate "$WORLD_DOMAIN" "$(basename "$BACKUP")" --set limits.headroom_bytes=999999999999999 $form
    [[ $status -eq 67 && $output == *fail* || $output == *✗* || $output == *FAIL* ]] || { printf '%s: %s %s\n' "$form" "$status" "$output"; return 1; }
    [[ $status -eq 67 ]]
  done
  run rv restore "$WORLD_DOMAIN" "$(basename "$BACKUP")" --dry-run --set limits.headroom_bytes=999999999999999
  [[ $status -eq 67 && $output == *'disk space'* && $output == *'dry run'* && $output != *'restored from'* ]]
  is_unchanged
}

@test "from cron, recover waits for its job and ends as it ended" {
  local job worker
  job=$(rv restore "$WORLD_DOMAIN" backup_20240601_000000.tar.gz --yes --detach --field job)
  until [[ $(rv status "$job" --field state) != @(queued|planning) ]]; do sleep 0.05; done
  worker=$(worker_of "$job")
  kill -STOP "$worker"
  # The job of the recovery fails, and cron hears of it.
  from_cron recover "$WORLD_DOMAIN"
  [[ $status -eq 17 && -z $output && $stderr == *busy:* ]] || { printf '%s: %s %s\n' "$status" "$output" "$stderr"; return 1; }
  kill -KILL "$worker"
  # It is dead when the kernel has taken down the last of its threads, not when the signal was sent.
  while grep -qs '^State:.[^ZX]' "/proc/$worker"/task/*/status; do sleep 0.01; done
  from_cron recover
  [[ $status -eq 0 && -z $stderr && $output == *"$WORLD_DOMAIN"* ]] || { printf '%s: %s %s\n' "$status" "$output" "$stderr"; return 1; }
  # What has ended is done: nothing is left, and nobody has to wait for anything.
  [[ -z $(world strays "$PLACE") ]]
  is_unchanged
  from_cron verify "$WORLD_DOMAIN" --field outcome
  [[ $output == @(pass|warn|fail) ]]
}

@test "the question says in words what is restored" {
  in_terminal restore "$WORLD_DOMAIN" "$(basename "$BACKUP")" --only files --table wp_posts --exclude-path '*.log' --exact
  terminal_wait 'Type YES to go on:'
  local screen
  screen=$(terminal_screen | tr '\n' ' ')
  [[ $screen == *'files, database (wp_posts)'* && $screen == *'*.log'* && $screen == *exact* && $screen != *'{'* ]]
}

@test "on a terminal it asks, and anything but YES changes nothing" {
  local answer
  for answer in yes '' NO; do
    in_terminal restore "$WORLD_DOMAIN" "$(basename "$BACKUP")"
    terminal_wait 'Type YES to go on:'
    terminal_keys "$answer" Enter
    terminal_wait 'ended with 62'
    [[ $(terminal_screen) == *'Nothing was changed'* ]]
    terminal_end
  done
  # The end of input is no yes.
  in_terminal rollback "$WORLD_DOMAIN" --snapshot "$PLACE/base/snapshots/$WORLD_DOMAIN/none"
  terminal_wait 'Type YES to go on:'
  terminal_keys C-d
  terminal_wait 'ended with 62'
  is_unchanged
}

@test "a restore on a terminal: a bar, then the report; and back, and forward" {
  in_terminal restore "$WORLD_DOMAIN" "$(basename "$BACKUP")"
  terminal_wait 'Type YES to go on:'
  terminal_keys YES Enter
  terminal_wait '%' 60
  terminal_wait 'ended with 0' 60
  local screen line
  screen=$(terminal_screen)
  [[ $screen == *'restored from backup_20250101_120000.tar.gz'* && $screen == *'Change-over'* && $screen == *'rocketvps-restore rollback'* ]]
  run ! is_unchanged
  run -0 rv rollback "$WORLD_DOMAIN" --yes
  is_unchanged
}

@test "Ctrl+C cancels and shows the way back; a terminal that goes away does not" {
  in_terminal restore "$WORLD_DOMAIN" backup_20240601_000000.tar.gz --yes
  terminal_wait 'staging' 60
  terminal_keys C-c
  terminal_wait 'ended with 62' 60
  [[ $(terminal_screen) == *'cancelled'* ]]
  terminal_end
  is_unchanged
  in_terminal restore "$WORLD_DOMAIN" backup_20240601_000000.tar.gz --only files --yes
  terminal_wait 'staging' 60
  terminal_end
  local job
  job=$(rv jobs "$WORLD_DOMAIN" --field jobs.0.job)
  in_terminal attach "$job"
  terminal_wait 'ended with 0' 60
  [[ $(rv status "$job" --field state) == "done" ]]
  # What was not asked for is no phase that one waits for.
  run -0 rv status "$job" --tsv phases:phase,state
  [[ $output == *$'files\tdone'* && $output == *$'database\tskipped'* && $output == *$'config\tskipped'* ]]
  run -0 rv rollback "$WORLD_DOMAIN" --job "$job" --yes
  is_unchanged
}
