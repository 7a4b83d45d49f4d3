#!/usr/bin/env bats
# What a restore would change: what is said before is what happens then, counted from outside.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
  make_saved_world
  SMART=$(world backup "$PLACE" --layout smart --stamp 20250101_130000)
  world touch-up "$PLACE" 1
  CHAIN=$(world backup "$PLACE" --layout smart --incremental --stamp 20250102_130000)
  DOMAIN_BACKUP=$(world backup "$PLACE" --layout domain --stamp 20250101_140000)
  save_damaged
  export SMART CHAIN DOMAIN_BACKUP
}
teardown_file() { end_world; }

setup() { reset_damaged; }

teardown() {
  [[ -z $(world strays "$PLACE") ]]
  part_is neighbour "$FOLDER/before.neighbour"
}

said() {
  printf '%s added, %s changed, %s removed\n' "$(at "$1.files.added")" "$(at "$1.files.changed")" "$(at "$1.files.removed")"
}

table_names() {
  world sql "$PLACE" "SELECT table_name FROM information_schema.tables WHERE table_schema = '$WORLD_SCHEMA' AND table_type = 'BASE TABLE' ORDER BY 1"
}

# The comparison changes nothing, its counts are those of the restore, and after the restore nothing is left to change.
comes_true() { # REQUEST-FIELDS
  local request="{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,$1}" files tables token
  rm -rf "$FOLDER/live"
  cp -a "$WORLD_ROOT" "$FOLDER/live"
  table_names >"$FOLDER/tables.before"
  run -0 rv call diff_backup "$request"
  files=$(said data)
  tables="$(at data.tables.added || true) $(at data.tables.removed || true)"
  token=$(at data.plan_token)
  is_unchanged
  run -0 rv call restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"dry_run\":true,$1}"
  [[ $(said data.changes) == "$files" ]] || { printf 'a dry run says %s, the comparison %s\n' "$(said data.changes)" "$files"; return 1; }
  is_unchanged
  restored "$1,\"plan_token\":\"$token\""
  diff <(printf '%s\n' "$files") <(php "$BATS_TEST_DIRNAME/../harness/compare.php" "$FOLDER/live" "$WORLD_ROOT")
  if [[ $tables != ' ' ]]; then
    diff <(printf '%s\n' "$tables") <(printf '%s %s\n' "$(table_names | LC_ALL=C comm -13 "$FOLDER/tables.before" - | grep -c .)" \
      "$(table_names | LC_ALL=C comm -23 "$FOLDER/tables.before" - | grep -c .)")
  fi
  run -0 rv call diff_backup "$request"
  [[ $(said data) == '0 added, 0 changed, 0 removed' ]] || { printf 'after the restore still: %s\n' "$(said data)"; return 1; }
}

@test "a whole backup: what is said comes true" {
  comes_true "\"backup\":\"$BACKUP\""
}

@test "a smart backup, which keeps what it cannot know" {
  comes_true "\"backup\":\"$SMART\""
}

@test "a smart backup, exact" {
  comes_true "\"backup\":\"$SMART\",\"options\":{\"exact\":true}"
}

@test "a chain" {
  comes_true "\"backup\":\"$CHAIN\""
}

@test "the files of one domain" {
  comes_true "\"backup\":\"$DOMAIN_BACKUP\",\"components\":{\"files\":true}"
}

@test "a folder, a glob, and all but a folder" {
  comes_true "\"backup\":\"$BACKUP\",\"components\":{\"files\":[\"wp-content/uploads/2024/\",\"wp-admin/*.php\"]}"
  reset_damaged
  comes_true "\"backup\":\"$BACKUP\",\"components\":{\"files\":true},\"exclude\":{\"files\":[\"wp-content/uploads/\"]}"
}

@test "a file of the same size and time with another content is seen when every content is read, and restored" {
  local file=$WORLD_ROOT/wp-content/uploads/replaced.txt
  cp -a "$SAVED/wp-content/uploads/replaced.txt" "$file"
  printf 'ROUND 0' | dd of="$file" conv=notrunc status=none
  touch -r "$SAVED/wp-content/uploads/replaced.txt" "$file"
  run -0 rv call diff_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"backup\":\"$BACKUP\",\"components\":{\"files\":[\"wp-content/uploads/replaced.txt\"]},\"options\":{\"checksum\":true}}"
  [[ $(at data.files.changed) == 1 ]]
  restored "\"backup\":\"$BACKUP\",\"components\":{\"files\":[\"wp-content/uploads/replaced.txt\"]}"
  cmp "$SAVED/wp-content/uploads/replaced.txt" "$file"
}

@test "a plan whose live state has changed since is stale: a file, a row, a certificate, the backup" {
  local request="\"backup\":\"$BACKUP\"" change token
  for change in file row config; do
    reset_damaged
    run -0 rv call diff_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,$request}"
    token=$(at data.plan_token)
    case $change in
      file) printf 'x\n' >>"$WORLD_ROOT/wp-content/uploads/replaced.txt" ;;
      row) world sql "$PLACE" "UPDATE $WORLD_SCHEMA.wp_options SET option_value = 'x' WHERE option_name = 'blogname'" ;;
      config) printf '# x\n' >>"$PLACE/php/pool.d/$WORLD_DOMAIN.conf" ;;
    esac
    world manifest "$PLACE" files >"$FOLDER/files.now"
    restore "$request,\"plan_token\":\"$token\""
    refused plan_stale
    part_is files "$FOLDER/files.now"
  done
  # What is not selected may change.
  reset_damaged
  run -0 rv call diff_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,$request,\"components\":{\"files\":[\"wp-content/rv-side.php\"]}}"
  token=$(at data.plan_token)
  world sql "$PLACE" "UPDATE $WORLD_SCHEMA.wp_options SET option_value = 'x' WHERE option_name = 'blogname'"
  restored "$request,\"components\":{\"files\":[\"wp-content/rv-side.php\"]},\"plan_token\":\"$token\""
}

@test "no secret is in what a comparison shows" {
  # With a password that the server refuses the site's own word is worth nothing: the administrator says which database it has.
  printf 'MYSQL_DB_NAME=%s\nMYSQL_DB_USER=%s\nMYSQL_DB_PASSWORD=%s\n' "$WORLD_SCHEMA" "$WORLD_SCHEMA" "$WORLD_PASSWORD" |
    install -D -m 0600 /dev/stdin "$PLACE/base/config/database_credentials/$WORLD_DOMAIN.conf"
  sed -i "s/define('DB_PASSWORD', .*/define('DB_PASSWORD', 'another-secret-of-mine');/" "$WORLD_ROOT/wp-config.php"
  run -0 rv call diff_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"backup\":\"$BACKUP\"}"
  [[ $output != *"$WORLD_PASSWORD"* && $output != *another-secret* && $output != *'PRIVATE KEY'* ]]
  run ! grep -rqF -e "$WORLD_PASSWORD" -e another-secret "$PLACE/base/restore_jobs" "$PLACE/base/restore_index" "$PLACE/base/restore_logs"
}
