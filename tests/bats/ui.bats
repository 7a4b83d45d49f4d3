#!/usr/bin/env bats
# The menus without a terminal: words, choices, answers, what they start and what they leave alone.
# tests/bats/ui_screens.bats looks at them in a real one.

bats_require_minimum_version 1.5.0
load helper
# shellcheck source=/dev/null
source "$BATS_TEST_DIRNAME/../harness/terminal.bash"

teardown() { terminal_end; }

setup_file() {
  make_world
  export SHELL_FOLDER=$BATS_TEST_DIRNAME/../../shell
  export RESTORE_HELPER=$PREFIX/bin/rocketvps-restore LC_ALL=C.UTF-8 LANGUAGE=en
  # One that takes its time, the third of the list.
  mkdir "$WORLD_ROOT/wp-content/uploads/many"
  (cd "$WORLD_ROOT/wp-content/uploads/many" && seq -f 'picture-%05g.jpg' 1 60000 | xargs touch)
  world backup "$PLACE" --stamp 20230101_000000 >/dev/null
  rm -r "$WORLD_ROOT/wp-content/uploads/many"
  head -c 500000 "$BACKUP" >"$WORLD_BACKUPS/backup_20240101_120000.tar.gz"
  mkdir -p "$PLACE/base/backups/it's; touch $FOLDER/executed #" "$PLACE/base/backups/\$(touch $FOLDER/executed)"
  remember
}
teardown_file() { end_world; }

# The menus with keys on standard input.
menus() { # KEYS [NAME=VALUE...]
  local keys=$1
  shift
  run env "$@" bash "$SHELL_FOLDER/restore_ui.sh" <<<"$keys"
}

# One piece of the menus, in a shell of its own.
piece() { # COMMANDS
  run bash -c '
    RUI_FOLDER=$1/restore_ui RUI_LIVE=
    for part in "$RUI_FOLDER"/*.sh; do source "$part"; done
    _rui_letters && _rui_words && _rui_measure
    eval "$2"' - "$SHELL_FOLDER" "$1"
}

jobs_now() {
  rv jobs --tsv 'jobs:job'
}

@test "both languages have the same keys with the same places" {
  local one two
  one=$(grep -oE '^[a-z][a-z0-9_]*=' "$SHELL_FOLDER/restore_ui/lang/en.txt" | sort)
  two=$(grep -oE '^[a-z][a-z0-9_]*=' "$SHELL_FOLDER/restore_ui/lang/vi.txt" | sort)
  [[ $(wc -l <<<"$one") -gt 200 ]]
  diff <(printf '%s' "$one") <(printf '%s' "$two")
  [[ -z $(uniq -d <<<"$one") ]]
  places() { sed -nE '/^[a-z]/p' "$1" | sort -t= -k1,1 | while IFS= read -r line; do printf '%s %s\n' "${line%%=*}" "$(grep -o '%.' <<<"$line" | tr -d '\n')"; done; }
  diff <(places "$SHELL_FOLDER/restore_ui/lang/en.txt") <(places "$SHELL_FOLDER/restore_ui/lang/vi.txt")
}

@test "every word that a screen says is in the catalogue, and none is there for nothing" {
  local catalogue=$SHELL_FOLDER/restore_ui/lang/en.txt word said
  said=$(grep -ohE '_rui_say [a-z0-9_]+' "$SHELL_FOLDER"/restore_ui/*.sh | sed 's/.* //' | sort -u)
  for word in $said; do
    grep -q "^$word=" "$catalogue" || { printf 'not in the catalogue: %s\n' "$word"; return 1; }
  done
  # Names that are put together: their beginnings.
  local beginnings
  beginnings=$(grep -ohE '_rui_say "[a-z_]+\$' "$SHELL_FOLDER"/restore_ui/*.sh | sed 's/.*"//; s/\$$//' | sort -u)
  while IFS= read -r word; do
    grep -qx "$word" <<<"$said" && continue
    local beginning found=
    for beginning in $beginnings; do [[ $word != "$beginning"* ]] || found=1; done
    [[ -n $found ]] || { printf 'nobody says: %s\n' "$word"; return 1; }
  done < <(grep -oE '^[a-z][a-z0-9_]*' "$catalogue" | grep -v ^panel_)
}

@test "the panel says words of the same catalogue, and its own are there for nothing else" {
  local catalogue=$SHELL_FOLDER/restore_ui/lang/en.txt panel=$BATS_TEST_DIRNAME/../../panel said word beginning found
  local -a beginnings
  diff -r "$panel/lang" "$SHELL_FOLDER/restore_ui/lang"
  said=$(grep -rohE "(->(t|h|say|heading)\\(|new Refusal\\([0-9]+, )'[a-z][a-z0-9_]*[a-z0-9]'|'panel_[a-z0-9_]*[a-z0-9]'" "$panel/src" "$panel/views" | grep -oE "'.*'" | tr -d "'" | sort -u)
  [[ $(wc -l <<<"$said") -gt 100 ]]
  mapfile -t beginnings < <(grep -rohE "[\"']panel_[a-z]+_['{\$]|word\('panel_[a-z]+'" "$panel/src" "$panel/views" | grep -oE 'panel_[a-z]+' | sort -u)
  for word in $said; do
    found=
    for beginning in "${beginnings[@]}"; do [[ $word != "$beginning" ]] || found=1; done
    [[ -n $found ]] || grep -q "^$word=" "$catalogue" || { printf 'not in the catalogue: %s\n' "$word"; return 1; }
  done
  while IFS= read -r word; do
    found=
    for beginning in "${beginnings[@]}"; do [[ $word != "$beginning"_* ]] || found=1; done
    [[ -n $found ]] || grep -qx "$word" <<<"$said" || { printf 'nobody says: %s\n' "$word"; return 1; }
  done < <(grep -oE '^panel_[a-z0-9_]*' "$catalogue")
}

@test "every state, error, kind of job and group of checks of the engine has its word" {
  local catalogue=$SHELL_FOLDER/restore_ui/lang/en.txt source=$BATS_TEST_DIRNAME/../.. word
  while read -r word; do
    grep -q "^code_$word=" "$catalogue" || { printf 'error %s\n' "$word"; return 1; }
  done < <(grep -oE '= [0-9]+, "[a-z_]+"' "$source/src/error.rs" | cut -d '"' -f 2)
  for word in queued planning staging verifying committing checking 'done' cancelling rolling_back rolled_back failed needs_operator; do
    grep -q "^state_$word=" "$catalogue"
  done
  for word in $(rv call validate "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}" --tsv 'groups:name') \
    $(rv verify "$WORLD_DOMAIN" --tsv 'groups:name'); do
    grep -q "^group_$word=" "$catalogue" || { printf 'group %s\n' "$word"; return 1; }
  done
  # The words of the phases in which something can fail.
  while IFS= read -r word; do
    case $word in
      pre-flight | staging | verification | commit | 'live verification' | cancelling | rollback)
        grep -q "^at_${word//[ -]/_}=" "$catalogue" || { printf 'phase %s\n' "$word"; return 1; }
        ;;
    esac
  done < <(grep -oE '^        State::[A-Za-z]+ => "[a-z -]+"' "$source/src/engine.rs" | cut -d '"' -f 2)
}

# shellcheck disable=SC2016  # the inner shell's
@test "sourcing changes no option, trap or name of the caller, and running the menus neither" {
  run bash -c '
    state() { set -o; shopt; trap; pwd; printf "%s\n" "$IFS" "${LC_ALL-unset}" "${LANG-unset}"; compgen -v | grep -vE "^(BASH|FUNCNAME|_$|PIPESTATUS|RANDOM|SECONDS|EPOCH|SRANDOM|LINENO|COLUMNS|LINES|RESTORE_|BACKUP_BASE_DIR|SNAPSHOT_|MAX_RETRIES|VERIFY_TIMEOUT|before|OPTIND|REPLY)"; }
    before=$(state)
    source "$1/restore_ui.sh"
    diff <(printf "%s\n" "$before") <(state) || exit 1
    restore_main_menu </dev/null >/dev/null || exit 1
    diff <(printf "%s\n" "$before") <(state) || exit 1
    ! declare -F | grep -vE " (_?restore_[a-z_]*|_rui_here|state|bats_[a-z_]*)$" | grep . ' - "$SHELL_FOLDER"
  [[ $status -eq 0 ]] || { printf '%s\n' "$output"; return 1; }
}

# shellcheck disable=SC2016  # the inner shell's
@test "the menus work in a shell with set -eu, and from a child that only has the exported function" {
  run -0 bash -euc 'source "$1/restore_ui.sh"; restore_main_menu <<<q >/dev/null; bash -c "restore_main_menu <<<q"' - "$SHELL_FOLDER"
  [[ $output == *'SMART RESTORE SYSTEM'* ]]
}

@test "a wrong choice, an empty answer and the end of input are told, and start nothing" {
  local before
  before=$(jobs_now)
  menus x
  [[ $status -eq 0 && $output == *"'x' is no choice here"* && $output == *'There is no more input'* ]]
  menus ''
  [[ $status -eq 0 ]]
  run bash "$SHELL_FOLDER/restore_ui.sh" </dev/null
  [[ $status -eq 0 && $output == *'There is no more input'* ]]
  # In the middle: a domain is chosen, then nothing more comes.
  menus 1
  [[ $status -eq 0 ]]
  [[ $(jobs_now) == "$before" ]]
  is_unchanged
}

@test "names that a shell would run are no domains, and are not run" {
  menus '1q'
  [[ $output == *"$WORLD_DOMAIN"* && $output != *'executed'* ]]
  [[ ! -e $FOLDER/executed ]]
}

@test "the preview shows the engine's figures" {
  menus $'2\n\nqq'
  local figure
  while IFS= read -r figure; do
    [[ $output == *"$figure"* ]] || { printf 'not shown: %s\n' "$figure"; return 1; }
  done < <(rv preview "$WORLD_DOMAIN" "$BACKUP" --field 'backup.date|moment,backup.size|size,files.count|count,files.bytes|size,database.rows|count,estimate.total_s|duration,space.required|size,files.document_root' --tsv 'database.table_list:name')
  # Folders of the first two levels are shown, each with its files.
  local path depth files shown=0
  while IFS=$'\t' read -r path depth files; do
    [[ $path == */ ]] && ((depth < 2)) || continue
    path=${path%/}
    grep -F "${path##*/}/" <<<"$output" | grep -qwF "$files" || { printf 'not shown: %s %s\n' "$path" "$files"; return 1; }
    shown=$((shown + 1))
  done < <(rv preview "$WORLD_DOMAIN" "$BACKUP" --tsv 'files.tree:path,depth,files|count')
  ((shown > 10))
  [[ $output == *'├── '*'wp-content/'* && $output == *'PHP-FPM pool'* ]]
}

@test "no restore without YES in capitals" {
  local answer before
  for answer in yes '' ' YES' 'YES ' no; do
    before=$(rv jobs --tsv 'jobs:kind' | grep -c '^restore$' || true)
    menus $'1\n\ncccc'"$answer"$'\nq'
    [[ $output == *"Type 'YES'"* && $output == *'nothing was changed'* ]] || { printf '%q: %s\n' "$answer" "$output"; return 1; }
    [[ $(rv jobs --tsv 'jobs:kind' | grep -c '^restore$' || true) -eq $before ]]
  done
  is_unchanged
}

@test "a damaged backup: the sentence of the language, the engine's message, its hint, no document" {
  menus $'1\n2\nqqq'
  [[ $output == *'The backup is damaged.'* && $output == *'ends inside the compressed data'* && $output == *'Choose another backup'* ]]
  [[ $output != *'{"'* ]]
  menus $'1\n2\nqqq' LANGUAGE=vi
  [[ $output == *'Bản sao lưu bị hỏng.'* && $output == *'ends inside the compressed data'* ]]
}

@test "a whole restore, and back by the snapshot screen" {
  world damage "$PLACE"
  remember
  menus $'1\n\nccccYES\nq'
  [[ $output == *'RESTORE IN PROGRESS'* && $output == *'ALL VERIFICATION CHECKS PASSED'* ]] || { printf '%s\n' "$output"; return 1; }
  [[ $output == *REHEARSAL*'/ answers 200'*'/post-number-'*'FILE INTEGRITY'* ]] || { printf '%s\n' "$output"; return 1; }
  run ! is_unchanged
  # The restored site is the second domain of the list of sites.
  menus $'42\nrYES\nqq'
  [[ $output == *'ROLLBACK IN PROGRESS'* ]] || { printf '%s\n' "$output"; return 1; }
  is_unchanged
}

@test "a file of another program from anywhere: asked for its path and its folder, restored, and back" {
  local afar=$FOLDER/from\ afar
  mkdir -p "$afar/sites/old" "$afar/sites/new"
  printf '<?php // old' >"$afar/sites/old/index.php"
  printf '<?php // new' >"$afar/sites/new/index.php"
  tar -C "$afar/sites" -czf "$afar/both.tgz" new old
  remember
  # The fourth of the list of backups; the path; no dump beside it; no prefix; the second of the folders.
  menus $'1\n4\n'"$afar/both.tgz"$'\n\n\n2\nccccYES\nq'
  [[ $output == *'Another file or folder...'* && $output == *'Several folders in it look like a site.'* ]] || { printf '%s\n' "$output"; return 1; }
  [[ $output == *"$WORLD_DOMAIN - both.tgz"* && $output == *'ALL VERIFICATION CHECKS PASSED'* ]] || { printf '%s\n' "$output"; return 1; }
  [[ $(<"$WORLD_ROOT/index.php") == '<?php // old' ]]
  menus $'42\nrYES\nqq'
  is_unchanged
  # What is refused is told, and nothing is asked twice.
  menus $'1\n4\n'"$afar/none.tgz"$'\n\n\nqqq'
  [[ $output == *'none.tgz does not exist'* ]]
  menus $'3\n4\n'"$afar/both.tgz"$'\n\n\nqqq'
  [[ $output == *'Several folders in it look like a site.'* && $output != *'--root FOLDER'* ]]
  menus $'1\n4\n\nqqq'
  [[ $output != *Reading* ]]
  is_unchanged
}

@test "a backup of another program that is encrypted: asked for the file with its password" {
  local afar=$FOLDER/locked
  mkdir -p "$afar/www"
  printf '<?php // locked' >"$afar/www/index.php"
  (cd "$afar/www" && 7zz a -tzip -mem=AES256 -psecret ../locked.zip index.php >/dev/null)
  install -m 0600 /dev/null "$afar/right"
  printf 'secret\n' >"$afar/right"
  install -m 0600 /dev/null "$afar/wrong"
  printf 'Secret\n' >"$afar/wrong"
  remember
  # The fourth of the list of backups; the path; no dump beside it; no prefix; the password's file.
  menus $'1\n4\n'"$afar/locked.zip"$'\n\n\n'"$afar/wrong"$'\nqqq'
  [[ $output == *'It is encrypted.'* && $output == *'the password does not open'* && $output != *secret* ]] || { printf '%s\n' "$output"; return 1; }
  is_unchanged
  menus $'1\n4\n'"$afar/locked.zip"$'\n\n\n'"$afar/right"$'\nccccYES\nq'
  [[ $output == *'It is encrypted.'* && $output == *'ALL VERIFICATION CHECKS PASSED'* ]] || { printf '%s\n' "$output"; return 1; }
  [[ $(<"$WORLD_ROOT/index.php") == '<?php // locked' ]]
  menus $'42\nrYES\nqq'
  is_unchanged
}

@test "a rehearsal: what it does is said first, then whether the backup works, and the site is as it was" {
  remember
  menus $'9\n\nqq'
  [[ $output == *'9) Rehearse a backup'*'REHEARSE A BACKUP'*'The live site is not touched'* ]] || { printf '%s\n' "$output"; return 1; }
  [[ $output != *'asking it for its pages'* && $(rv jobs --tsv 'jobs:kind' | grep -c '^rehearse$' || true) -eq 0 ]]
  menus $'9\n\ncqq'
  [[ $output == *"$WORLD_DOMAIN - "*'asking it for its pages'*'THE BACKUP WORKS'*'A restore would take about'* ]] || { printf '%s\n' "$output"; return 1; }
  [[ $output == *REHEARSAL*'/ answers 200'*'/post-number-'*'FILE INTEGRITY'*'Log:'* ]] || { printf '%s\n' "$output"; return 1; }
  is_unchanged
  # A damaged one.
  menus $'9\n2\ncqq'
  [[ $output == *'The backup is damaged.'* && $output != *'THE BACKUP WORKS'* ]] || { printf '%s\n' "$output"; return 1; }
  menus $'9\n\ncqq' LANGUAGE=vi
  [[ $output == *'CHẠY THỬ MỘT BẢN SAO LƯU'*'BẢN SAO LƯU DÙNG ĐƯỢC'* ]] || { printf '%s\n' "$output"; return 1; }
  is_unchanged
}

# A dump of a site with this prefix, beside a table that is nobody's.
dump_with_prefix() { # PREFIX FILE
  printf "CREATE TABLE \`%soptions\` (\`option_id\` int PRIMARY KEY, \`option_name\` varchar(191), \`option_value\` text);\nINSERT INTO \`%soptions\` VALUES (1,'blogname','moved');\nCREATE TABLE \`%sposts\` (\`ID\` int PRIMARY KEY);\nCREATE TABLE \`legacy\` (\`a\` int);\n-- Dump completed on 2026-11-28  1:00:00\n" \
    "$1" "$1" "$1" >"$2"
}

@test "a dump of another prefix: which one is the site's is asked before anything else, and typed where it is known" {
  local afar=$FOLDER/moved
  mkdir -p "$afar"
  dump_with_prefix old7_ "$afar/moved.sql"
  remember
  # The path; no dump beside it; no prefix: the preview finds it, and the page after it is of the chosen one.
  menus $'2\n4\n'"$afar/moved.sql"$'\n\n\n1\nqq'
  [[ $output == *"Which prefix is the site's?"*'1) old7_'*'2) None of these'*'BACKUP INFORMATION'*wp_options*'do not begin with old7_: legacy'* ]] || { printf '%s\n' "$output"; return 1; }
  # Known beforehand it is no question.
  menus $'2\n4\n'"$afar/moved.sql"$'\n\nold7_\nqq'
  [[ $output == *'BACKUP INFORMATION'*wp_options* && $output != *"Which prefix is the site's?"* ]] || { printf '%s\n' "$output"; return 1; }
  # One that is none is refused by the engine.
  menus $'2\n4\n'"$afar/moved.sql"$'\n\no d\nqqq'
  [[ $output == *'is no prefix of tables'* ]] || { printf '%s\n' "$output"; return 1; }
  # A comparison and a rehearsal ask before they begin.
  menus $'3\n4\n'"$afar/moved.sql"$'\n\n\n1\nqq'
  [[ $output == *"Which prefix is the site's?"*'DATABASE TABLES'*'~ wp_options'* ]] || { printf '%s\n' "$output"; return 1; }
  menus $'9\n4\n'"$afar/moved.sql"$'\n\n\n1\ncqq'
  [[ $output == *"Which prefix is the site's?"*'A restore would take about'* ]] || { printf '%s\n' "$output"; return 1; }
  # None of them: the checks say why the database cannot be restored, and nothing is asked twice.
  menus $'1\n4\n'"$afar/moved.sql"$'\n\n\n2\ncc\nqq'
  [[ $output == *'the tables of the dump begin with old7_'*'The restore cannot go on'* ]] || { printf '%s\n' "$output"; return 1; }
  [[ ${output##*SELECT RESTORE COMPONENTS} != *"Which prefix is the site's?"* ]] || { printf '%s\n' "$output"; return 1; }
  is_unchanged
  # The live site's own tables under another prefix come back under its own.
  mariadb-dump --no-defaults --socket="$PLACE/run/db.sock" "$WORLD_SCHEMA" |
    sed "s/\`wp_/\`old7_/g; s/'rv_side','[a-z]*'/'rv_side','moved'/" >"$afar/moved.sql"
  menus $'1\n4\n'"$afar/moved.sql"$'\n\n\n1\nccccYES\nq'
  [[ $(world sql "$PLACE" "SELECT option_value FROM $WORLD_SCHEMA.wp_options WHERE option_name = 'rv_side'") == moved ]] || { printf '%s\n' "$output"; return 1; }
  rv rollback "$WORLD_DOMAIN" --yes >/dev/null
  is_unchanged
}

@test "a prefix that only the checks can tell is asked there, and what is restored is chosen anew" {
  local afar=$FOLDER/own
  mkdir -p "$afar/www"
  dump_with_prefix old7_ "$afar/database.sql"
  printf '<?php // index' >"$afar/www/index.php"
  printf "<?php define('DB_NAME', 'x'); define('DB_USER', 'x'); define('DB_PASSWORD', 'x'); define('DB_HOST', 'localhost');\n\$table_prefix = 'old7_';\n" >"$afar/www/wp-config.php"
  tar -C "$afar" -czf "$afar/own.tgz" www database.sql
  remember
  # Its own wp-config.php looks for its tables; without it the live one does.
  menus $'1\n4\n'"$afar/own.tgz"$'\n\n\nc1c1\n1ccq\nqq'
  [[ $output == *'Selected: Database'*"Which prefix is the site's?"*'Selected: Database'*'[C] Continue  [Q] Cancel'* ]] || { printf '%s\n' "$output"; return 1; }
  [[ $output != *'The restore cannot go on'* ]] || { printf '%s\n' "$output"; return 1; }
  is_unchanged
}

# A helper that takes its time over one thing, and says when: $FOLDER/slow.
slow_helper() { # PATTERN-OF-ITS-ARGUMENTS
  cat >"$FOLDER/slow" <<STUB
#!/usr/bin/env bash
case " \$* " in $1) touch "$FOLDER/asked"; sleep 1 ;; esac
exec "$RESTORE_HELPER" "\$@"
STUB
  chmod +x "$FOLDER/slow"
  rm -f "$FOLDER/asked"
}

# The menus in a terminal, with the slow helper, up to the question of the third backup.
menus_up_to_the_question() {
  mkdir -p "$FOLDER/tmp"
  terminal_start 80 24 env RV_CONFIG="$RV_CONFIG" RESTORE_HELPER="$FOLDER/slow" TMPDIR="$FOLDER/tmp" LC_ALL=C.UTF-8 LANGUAGE=en \
    bash "$SHELL_FOLDER/restore_ui.sh"
  terminal_wait 'SMART RESTORE SYSTEM'
  terminal_keys 1
  terminal_wait 'Available domains'
  terminal_keys Enter
  terminal_wait Integrity
  terminal_keys 3 Enter
  terminal_wait 'BACKUP INFORMATION' 60
  terminal_keys c
  terminal_wait 'Choose what to restore'
  terminal_keys c
  # The screen before has this line too.
  terminal_wait 'DISK SPACE' 60
  terminal_wait '[C] Continue  [Q] Cancel'
  terminal_keys c
  terminal_wait 'SAFETY SNAPSHOT'
  terminal_keys c
  terminal_wait "Type 'YES'"
}

@test "Ctrl+C while the engine is being asked is not lost, from YES on" {
  local what
  for what in "*' status '*io.total_mb_s*" "*' restore '*"; do
    slow_helper "$what"
    remember
    menus_up_to_the_question
    terminal_keys YES Enter
    until [[ -e $FOLDER/asked ]]; do sleep 0.02; done
    terminal_keys C-c
    terminal_wait 'RESTORE CANCELLED' 60 || { printf 'during %s\n' "$what"; return 1; }
    terminal_end
    is_unchanged
  done
}

@test "Ctrl+C at the question is an answer, Ctrl+\\ leaves nothing behind" {
  slow_helper nothing
  menus_up_to_the_question
  terminal_keys C-c
  terminal_wait 'nothing was changed'
  terminal_keys "C-\\"
  local tries=10
  while ((tries--)) && [[ -n $(ls -A "$FOLDER/tmp") ]]; do sleep 0.3; done
  [[ -z $(ls -A "$FOLDER/tmp") ]] || { ls "$FOLDER/tmp"; return 1; }
}

@test "keys that are no choice are no Q either" {
  # Left, right, delete, F1; then one that is told.
  menus $'\e[D\e[C\e[3~\eOPxq'
  [[ $output == *"'x' is no choice here"* ]]
}

@test "a job that is no restore is not told as one" {
  rv snapshot "$WORLD_DOMAIN" >/dev/null
  local job
  job=$(rv jobs --field jobs.0.job)
  piece "RUI_TEMP=\$(mktemp -d) RUI_PATIENCE=0.1; source '$SHELL_FOLDER/restore.sh'; RUI_TTY=0; _rui_look_at $job JOBS <<<q; rm -rf \"\$RUI_TEMP\""
  [[ $output == *snapshot* && $output != *'restored and verified'* && $output != *title_* ]] || { printf '%s\n' "$output"; return 1; }
}

# The page of the newest job, without a terminal.
job_page() {
  local job
  job=$(rv jobs --field jobs.0.job)
  piece "RUI_TEMP=\$(mktemp -d) RUI_PATIENCE=0.1; source '$SHELL_FOLDER/restore.sh'; RUI_TTY=0; _rui_job_page $job <<<q; rm -rf \"\$RUI_TEMP\""
}

@test "the page of a rehearsal says what each page answered, what was not proven, and how long a restore takes" {
  rv rehearse "$WORLD_DOMAIN" "$BACKUP" >/dev/null
  job_page
  [[ $output == *'THE BACKUP WORKS'*'A restore would take about'*'Nothing was changed'*REHEARSAL*'/ answers 200'*'/post-number-'* ]] || { printf '%s\n' "$output"; return 1; }
  sed 's|^\[mysql\]|[limits]\nrehearsal_s = 0\n[mysql]|' "$RV_CONFIG" >"$FOLDER/unproven.toml"
  chmod 0600 "$FOLDER/unproven.toml"
  RV_CONFIG=$FOLDER/unproven.toml run -3 rv rehearse "$WORLD_DOMAIN" "$BACKUP"
  job_page
  [[ $output == *'RESTORABLE, NOT PROVEN'*'NOT CHECKED'*'not rehearsed:'*rehearsal_s* && $output != *'answers 200'* && $output != *'BACKUP WORKS'* ]] || { printf '%s\n' "$output"; return 1; }
}

# shellcheck disable=SC2016  # the inner shell's
@test "what the caller's shell is set to does not change the menus" {
  cd "$SHELL_FOLDER/.."
  run bash -c 'CDPATH=.; shopt -s nocasematch nullglob; source shell/restore_ui.sh; restore_main_menu <<<"$1"' - $'1\n\nccccyes\nq'
  [[ $output == *'nothing was changed'* && $output != *'RESTORE IN PROGRESS'* ]] || { printf '%s\n' "$output"; return 1; }
}

# shellcheck disable=SC2016  # the inner shell's
@test "a selection of parts: whole folders, without what is below them" {
  piece '
    kinds=(path path path path table item) names=(a/ a/b/ a/c.txt d.txt t nginx) depths=(0 1 1 0 0 0) chosen=("" "" "" "" "" "")
    RUI_PARTS_FILES=0 RUI_PARTS_TABLES=0 RUI_PARTS_ITEMS=0
    chosen[0]=1; _rui_choose_below 0 1; chosen[4]=1
    printf "<%s>" "${chosen[@]}"; echo
    _rui_collect_parts; printf "<%s>" "${RUI_PARTS[@]}"; echo "$RUI_TOUCHED"'
  [[ ${lines[0]} == '<1><1><1><><1><>' && ${lines[1]} == '<--path><a/><--table><t>files,database' ]] || { printf '%s\n' "$output"; return 1; }
}

# shellcheck disable=SC2016  # the inner shell's
@test "texts are cut and filled by the columns they take" {
  piece '
    _rui_fill "đường dẫn" 12; echo "[$RUI_FILLED]"
    _rui_fill "⏳ ACTIVE" 12; echo "[$RUI_FILLED]"
    _rui_cut "wp-content/uploads" 10; echo "[$RUI_TEXT_CUT]"
    _rui_bar 65 20; echo "$RUI_BAR"; _rui_bar 100 20; echo "$RUI_BAR"; _rui_bar "" 20; echo "$RUI_BAR"'
  [[ ${lines[0]} == '[đường dẫn   ]' && ${lines[1]} == '[⏳ ACTIVE   ]' && ${lines[2]} == '[wp-conten…]' ]] || { printf '%s\n' "$output"; return 1; }
  [[ ${lines[3]} == '[============>       ]' && ${lines[4]} == '[====================]' && ${lines[5]} == '[                    ]' ]]
}

@test "LANG=vi speaks Vietnamese, also where that locale is not installed; without UTF-8 English in ASCII" {
  menus q LC_ALL= LANGUAGE= LANG=vi_VN.UTF-8
  [[ $output == *'HỆ THỐNG PHỤC HỒI'* && $output == *'╔══'* ]]
  menus q LC_ALL= LANGUAGE= LANG=C
  [[ $output == *'SMART RESTORE SYSTEM'* && $output == *'+=='* ]]
  run ! grep -qP '[^\x00-\x7F]' <<<"$output"
  menus q LC_ALL= LANGUAGE= LANG=vi_VN
  [[ $output == *'SMART RESTORE SYSTEM'* ]]
}

@test "a missing helper and one of another version: a sentence, nothing started" {
  menus q RESTORE_HELPER=/nonexistent/rocketvps-restore
  [[ $status -eq 1 && $output == *'does not answer'* && $output == *RESTORE_HELPER* ]] || { printf '%s\n' "$output"; return 1; }
  cat >"$FOLDER/other" <<STUB
#!/usr/bin/env bash
arguments=()
while ((\$#)); do if [[ \$1 == --abi ]]; then arguments+=(--abi 2); shift 2; else arguments+=("\$1"); shift; fi; done
exec "$RESTORE_HELPER" "\${arguments[@]}"
STUB
  chmod +x "$FOLDER/other"
  menus $'1\nq' RESTORE_HELPER="$FOLDER/other"
  [[ $output == *'of different versions'* && $output == *'Install library and helper from the same package'* ]] || { printf '%s\n' "$output"; return 1; }
}

@test "a catalogue or screen that is missing is named" {
  cp -r "$SHELL_FOLDER" "$FOLDER/shell"
  rm "$FOLDER/shell/restore_ui/jobs.sh"
  run bash "$FOLDER/shell/restore_ui.sh" <<<q
  [[ $status -ne 0 && $output == *'jobs.sh is missing'* ]]
  cp "$SHELL_FOLDER/restore_ui/jobs.sh" "$FOLDER/shell/restore_ui/"
  rm "$FOLDER/shell/restore_ui/lang/en.txt"
  run bash "$FOLDER/shell/restore_ui.sh" <<<q
  [[ $status -ne 0 && $output == *'en.txt is missing'* ]]
}

@test "what only has to be accepted is asked, and the restore is told" {
  local number tables=''
  for number in {1..60}; do tables+="CREATE TABLE IF NOT EXISTS $WORLD_SCHEMA.m$number (id INT PRIMARY KEY);"; done
  world sql "$PLACE" "$tables"
  sed 's|^\[mysql\]|[limits]\nchange_over_wait_s = 0\n[mysql]|' "$RV_CONFIG" >"$FOLDER/careful.toml"
  chmod 0600 "$FOLDER/careful.toml"
  remember
  menus $'1\n\nccqq' RV_CONFIG="$FOLDER/careful.toml"
  [[ $output == *'[A] Accept what failed'* && $output != *"Type 'YES'"* ]] || { printf '%s\n' "$output"; return 1; }
  is_unchanged
  menus $'9\n\ncaqq' RV_CONFIG="$FOLDER/careful.toml"
  [[ $output == *'[A] Accept what failed'*'THE BACKUP WORKS'* ]] || { printf '%s\n' "$output"; return 1; }
  is_unchanged
  menus $'1\n\nccacYES\nq' RV_CONFIG="$FOLDER/careful.toml"
  [[ $output == *'ALL VERIFICATION CHECKS PASSED'* ]] || { printf '%s\n' "$output"; return 1; }
}
