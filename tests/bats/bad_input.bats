#!/usr/bin/env bats
# Bad input: each case its own code, a message that names the thing, a hint that says what to do; and the site, its
# database, its configuration and the neighbour byte-identical afterwards.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
  make_world
  BEFORE=$(world digest "$PLACE")
  export BEFORE
}
teardown_file() { end_world; }

teardown() {
  digest_is "$BEFORE"
  [[ -z $(world strays "$PLACE") ]]
}

# Packs the folder $FOLDER/x as a backup of the site.
packed() { # STAMP
  tar -czf "$WORLD_BACKUPS/backup_$1.tar.gz" -C "$FOLDER/x" .
  rm -rf "$FOLDER/x"
  printf '%s\n' "$WORLD_BACKUPS/backup_$1.tar.gz"
}

@test "unknown domain" {
  run rv call restore_start '{"domain":"nobody.example","wait":true}'
  refused unknown_domain
  [[ $output == *nobody.example* ]]
}

@test "missing backup" {
  restore "\"backup\":\"$WORLD_BACKUPS/backup_20200101_000000.tar.gz\""
  refused backup_not_found
  [[ $output == *backup_20200101_000000* ]]
}

@test "a backup that is a folder cannot be read" {
  mkdir "$WORLD_BACKUPS/backup_20200102_000000.tar.gz"
  restore "\"backup\":\"$WORLD_BACKUPS/backup_20200102_000000.tar.gz\""
  rmdir "$WORLD_BACKUPS/backup_20200102_000000.tar.gz"
  refused backup_unreadable
}

@test "truncated archive" {
  cut=$WORLD_BACKUPS/backup_20200103_000000.tar.gz
  head -c $(($(stat -c %s "$BACKUP") / 2)) "$BACKUP" >"$cut"
  restore "\"backup\":\"$cut\""
  rm "$cut"
  refused backup_corrupt
}

@test "no archive at all" {
  printf 'this is no archive\n' >"$WORLD_BACKUPS/backup_20200104_000000.tar.gz"
  restore "\"backup\":\"$WORLD_BACKUPS/backup_20200104_000000.tar.gz\""
  rm "$WORLD_BACKUPS/backup_20200104_000000.tar.gz"
  refused backup_corrupt
}

@test "a flipped bit" {
  cp "$BACKUP" "$WORLD_BACKUPS/backup_20200105_000000.tar.gz"
  printf '\xaa' | dd of="$WORLD_BACKUPS/backup_20200105_000000.tar.gz" bs=1 seek=2000000 conv=notrunc status=none
  restore "\"backup\":\"$WORLD_BACKUPS/backup_20200105_000000.tar.gz\""
  rm "$WORLD_BACKUPS/backup_20200105_000000.tar.gz"
  refused backup_corrupt
}

@test "wrong layout" {
  mkdir -p "$FOLDER/x/photos"
  printf 'x\n' >"$FOLDER/x/photos/a.jpg"
  file=$(packed 20200106_000000)
  restore "\"backup\":\"$file\""
  rm "$file"
  refused backup_layout_unknown
  [[ $output == *photos* ]]
}

@test "no www in the backup" {
  file=$(world backup "$PLACE" --stamp 20200107_000000 --without www)
  restore "\"backup\":\"$file\""
  rm "$file"
  refused backup_incomplete
}

@test "missing dump when the database was asked for" {
  file=$(world backup "$PLACE" --stamp 20200108_000000 --without database)
  restore "\"backup\":\"$file\",\"components\":{\"database\":true}"
  rm "$file"
  refused backup_incomplete
}

@test "bad JSON" {
  run rv call restore_start '{"domain":'
  refused bad_request
}

@test "unknown field" {
  restore '"backupp":"latest"'
  refused unknown_field
  [[ $output == *backupp* ]]
}

@test "a path outside the allowed roots" {
  cp "$BACKUP" "$FOLDER/backup_20250101_120000.tar.gz"
  restore "\"backup\":\"$FOLDER/backup_20250101_120000.tar.gz\""
  refused path_not_allowed
  ln -s "$FOLDER/backup_20250101_120000.tar.gz" "$WORLD_BACKUPS/backup_20200109_000000.tar.gz"
  restore "\"backup\":\"$WORLD_BACKUPS/backup_20200109_000000.tar.gz\""
  rm "$WORLD_BACKUPS/backup_20200109_000000.tar.gz"
  refused path_not_allowed
}

@test "a member that climbs out of the archive" {
  mkdir -p "$FOLDER/x/www"
  printf '<?php\n' >"$FOLDER/x/www/index.php"
  printf 'x\n' >"$FOLDER/x/climber"
  tar -czf "$WORLD_BACKUPS/backup_20200110_000000.tar.gz" -C "$FOLDER/x" --transform 's,climber,www/../../climber,' ./www ./climber -P
  rm -rf "$FOLDER/x"
  restore "\"backup\":\"$WORLD_BACKUPS/backup_20200110_000000.tar.gz\",\"components\":{\"files\":true}"
  rm "$WORLD_BACKUPS/backup_20200110_000000.tar.gz"
  refused unsafe_path
}

@test "a dump that reaches for the neighbour" {
  mkdir -p "$FOLDER/x/www"
  printf '<?php\n' >"$FOLDER/x/www/index.php"
  printf 'CREATE TABLE t (id INT);\nUPDATE neighbour.ledger SET amount = 0;\n-- Dump completed\n' >"$FOLDER/x/database.sql"
  file=$(packed 20200111_000000)
  restore "\"backup\":\"$file\",\"components\":{\"database\":true}"
  rm "$file"
  refused dump_refused
}

@test "no credentials" {
  mkdir -p "$FOLDER/x/www"
  printf '<?php\n' >"$FOLDER/x/www/index.php"
  printf 'CREATE TABLE t (id INT);\n-- Dump completed\n' >"$FOLDER/x/database.sql"
  mkdir -p "$PLACE/base/backups/neighbour.example"
  tar -czf "$PLACE/base/backups/neighbour.example/backup_20200112_000000.tar.gz" -C "$FOLDER/x" .
  rm -rf "$FOLDER/x"
  # The neighbour has no wp-config.php: nothing says which database is its own.
  run rv call restore_start '{"domain":"neighbour.example","components":{"database":true},"wait":true}'
  rm -r "$PLACE/base/backups/neighbour.example"
  refused credentials_missing
}

@test "server down" {
  sed 's|^socket = .*|socket = "/nonexistent/db.sock"|' "$RV_CONFIG" >"$FOLDER/down.toml"
  run rv --config "$FOLDER/down.toml" call restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  refused database_unreachable
  [[ $output == *db.sock* ]]
}

@test "not enough space" {
  sed 's|^\[mysql\]|[limits]\nheadroom_bytes = 1000000000000000\n[mysql]|' "$RV_CONFIG" >"$FOLDER/full.toml"
  run rv --config "$FOLDER/full.toml" call restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  refused disk_full
}

@test "a certificate whose key is another's" {
  mkdir "$FOLDER/x"
  tar -xzf "$BACKUP" -C "$FOLDER/x"
  openssl ecparam -name prime256v1 -genkey -noout -out "$FOLDER/x/config/ssl/privkey.pem" 2>/dev/null
  file=$(packed 20200113_000000)
  restore "\"backup\":\"$file\""
  rm "$file"
  refused tls_invalid
}

@test "an nginx site that nginx refuses" {
  mkdir "$FOLDER/x"
  tar -xzf "$BACKUP" -C "$FOLDER/x"
  sed -i 's/index index.php;/client_max_body_size nonsense;/' "$FOLDER/x/config/nginx.conf"
  file=$(packed 20200114_000000)
  restore "\"backup\":\"$file\""
  rm "$file"
  refused config_rejected
}

@test "an unknown job and a job name that is a path" {
  run rv call restore_poll '{"job":"000000000000"}'
  [[ $status -ne 0 && $(value code) == @(job_not_found|bad_request) ]]
  run rv call restore_poll '{"job":"../../etc"}'
  [[ $status -ne 0 && $(value code) == @(job_not_found|bad_request) ]]
}

# --- what is selected -------------------------------------------------------------------------------------------------

@test "a path that leaves the document root" {
  local path
  for path in ../neighbour.example/index.php wp-content/../../neighbour.example/private/secret.txt '../*' '**/../../neighbour.example'; do
    restore "\"components\":{\"files\":$(list "$path")}"
    refused unsafe_path
    restore "\"exclude\":{\"files\":$(list "$path")}"
    refused unsafe_path
  done
  restore '"components":{"files":["/etc/passwd"]}'
  [[ $status -ne 0 && $(value code) == @(unsafe_path|bad_request|backup_incomplete) ]]
}

@test "a selection of everything, nothing or nonsense" {
  local files
  for files in '[]' '[""]' '["/"]' '["."]' '["./"]' '["a\u0000b"]' '[1]' '[null]' 'null' '"index.php"' '{"a":1}' '["[a-"]' '["{a,b"]'; do
    restore "\"components\":{\"files\":$files}"
    [[ $status -ne 0 && $(value code) == @(bad_request|unsafe_path) ]] || { printf '%s: %s\n' "$files" "$output"; return 1; }
  done
  for files in '[]' '[""]' '[1]' '["[a-"]'; do
    restore "\"components\":{\"database\":$files}"
    [[ $status -ne 0 && $(value code) == bad_request ]] || { printf 'database %s: %s\n' "$files" "$output"; return 1; }
  done
  restore '"components":{"config":["nginx","../ssl"]}'
  refused bad_request
  restore '"components":{}'
  refused bad_request
  restore '"exclude":{"tables":["wp_users"]}'
  refused unknown_field
  restore '"options":{"exakt":true}'
  refused unknown_field
}

@test "more patterns than anybody needs" {
  restore "\"components\":{\"files\":[$(seq -f '"wp-admin/%g.php"' -s , 5000)]}"
  refused bad_request
  # A pattern made to be slow ends like any other.
  run timeout 60 "$PREFIX/bin/rocketvps-restore" restore_start \
    "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"components\":{\"files\":$(list "$(printf '**/*a%.0s' {1..200})zzz")}}"
  [[ $status -ne 124 && $(value code) == @(bad_request|backup_incomplete|limit_exceeded) ]]
}

# --- chains made to do harm -------------------------------------------------------------------------------------------

# A full smart backup and an incremental that holds what is in $FOLDER/x, as if the module had written both.
hostile_chain() {
  local full inc=$WORLD_BACKUPS/backup_20200202_000000_incremental.tar.gz
  full=$(world backup "$PLACE" --layout smart --stamp 20200201_000000 --without database)
  tar -C "$FOLDER/x" -czf "$inc" "${WORLD_ROOT#/}"
  printf '{"type":"incremental","base_backup":"%s"}\n' "$full" >"$inc.meta"
  rm -rf "$FOLDER/x"
  restore "\"backup\":\"$inc\",\"components\":{\"files\":true}$1"
}

forget_chain() {
  rm -f "$WORLD_BACKUPS"/backup_2020020* "$WORLD_BACKUPS"/database_2020020*
}

@test "an incremental that puts a link where the base has a folder: nothing is written through it" {
  local site=$FOLDER/x/${WORLD_ROOT#/}
  mkdir -p "$site/wp-content"
  ln -s "$PLACE/web/neighbour.example" "$site/wp-content/uploads"
  ln -s /etc "$site/wp-includes"
  hostile_chain ''
  if [[ $status -eq 0 ]]; then
    [[ -L $WORLD_ROOT/wp-content/uploads && -L $WORLD_ROOT/wp-includes ]]
    run -0 rv call rollback "{\"domain\":\"$WORLD_DOMAIN\",\"job\":\"$(value job)\",\"wait\":true}"
  else
    # A link out of the site may be refused; then by its name.
    [[ $(value code) == @(unsafe_path|verification_failed) ]] || { printf '%s\n' "$output"; return 1; }
  fi
  forget_chain
}

@test "an incremental that hides a link under files of the base's folder: the link does not lead there" {
  local site=$FOLDER/x/${WORLD_ROOT#/}
  # The base's own link is what a newer entry goes through by name.
  mkdir -p "$site/wp-content/latest"
  printf 'through the link?\n' >"$site/wp-content/latest/planted.txt"
  hostile_chain ',"options":{"exact":true}'
  [[ $status -eq 0 ]] || { printf '%s\n' "$output"; return 1; }
  [[ -d $WORLD_ROOT/wp-content/latest && ! -L $WORLD_ROOT/wp-content/latest && ! -e $WORLD_ROOT/wp-content/uploads/2024/planted.txt ]]
  run -0 rv call rollback "{\"domain\":\"$WORLD_DOMAIN\",\"job\":\"$(value job)\",\"wait\":true}"
  forget_chain
}

@test "an incremental that climbs out of the archive" {
  local full inc=$WORLD_BACKUPS/backup_20200202_000000_incremental.tar.gz
  full=$(world backup "$PLACE" --layout smart --stamp 20200201_000000 --without database)
  mkdir -p "$FOLDER/x/${WORLD_ROOT#/}"
  printf 'x\n' >"$FOLDER/x/${WORLD_ROOT#/}/climber"
  tar -C "$FOLDER/x" -czPf "$inc" --transform "s,/climber,/../neighbour.example/climber," "${WORLD_ROOT#/}"
  rm -rf "$FOLDER/x"
  restore "\"backup\":\"$inc\",\"components\":{\"files\":true}"
  refused unsafe_path
  forget_chain
}

@test "a device, a FIFO and a set-id program in an incremental are not made" {
  local site=$FOLDER/x/${WORLD_ROOT#/}
  mkdir -p "$site"
  mkfifo "$site/pipe"
  mknod "$site/null" c 1 3
  cp /bin/true "$site/root-shell"
  chmod 6755 "$site/root-shell"
  hostile_chain ''
  if [[ $status -eq 0 ]]; then
    [[ ! -e $WORLD_ROOT/pipe && ! -e $WORLD_ROOT/null && ! -u $WORLD_ROOT/root-shell && ! -g $WORLD_ROOT/root-shell ]]
    run -0 rv call rollback "{\"domain\":\"$WORLD_DOMAIN\",\"job\":\"$(value job)\",\"wait\":true}"
  fi
  forget_chain
}

# --- dumps beside, and what is remembered -------------------------------------------------------------------------------

@test "a dump beside a smart backup that is a link, a FIFO or a folder is no dump" {
  local full dump form
  full=$(world backup "$PLACE" --layout smart --stamp 20200301_000000)
  dump=$WORLD_BACKUPS/database_20200301_000007.sql.gz
  mv "$dump" "$FOLDER/outside.sql.gz"
  for form in link fifo folder; do
    case $form in
      link) ln -s "$FOLDER/outside.sql.gz" "$dump" ;;
      fifo) mkfifo "$dump" ;;
      folder) mkdir "$dump" ;;
    esac
    run timeout 60 "$PREFIX/bin/rocketvps-restore" restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"backup\":\"$full\",\"components\":{\"database\":true}}"
    [[ $status -ne 0 && $status -ne 124 && $(value code) == @(backup_incomplete|backup_unreadable|path_not_allowed) ]] || { printf '%s: %s\n' "$form" "$output"; return 1; }
    run timeout 60 "$PREFIX/bin/rocketvps-restore" restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"backup\":\"$full\",\"dump\":\"$dump\"}"
    [[ $status -ne 0 && $status -ne 124 && $(value code) == @(backup_unreadable|path_not_allowed) ]] || { printf '%s asked for: %s\n' "$form" "$output"; return 1; }
    rm -rf "$dump"
  done
  rm -f "$full" "$full.meta"
}

@test "a dump that is no path of this domain's" {
  local full dump
  full=$(world backup "$PLACE" --layout smart --stamp 20200302_000000)
  for dump in database_20200302_000007.sql.gz ../../etc/passwd /etc/passwd "$WORLD_BACKUPS/../../../restore.toml" "$PLACE/restore.toml" ''; do
    restore "\"backup\":\"$full\",\"dump\":\"$dump\""
    [[ $status -ne 0 && $(value code) == @(path_not_allowed|bad_request) && $output != *root:* ]] || { printf '%s: %s\n' "$dump" "$output"; return 1; }
  done
  rm -f "$full" "$full.meta" "$WORLD_BACKUPS"/database_20200302_*
}

@test "an index of backups that is garbage, a folder, a link or another's is made anew and never written through" {
  local index=$WORLD_BACKUPS/.backup_index.json count form
  run -0 rv call preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"backup\":\"$BACKUP\"}"
  count=$(at data.files.count)
  printf 'precious\n' >"$FOLDER/precious"
  for form in garbage empty deep folder link fifo; do
    rm -rf "$index"
    case $form in
      garbage) head -c 100000 /dev/urandom >"$index" ;;
      empty) : >"$index" ;;
      deep) head -c 1000000 /dev/zero | tr '\0' '[' >"$index" ;;
      folder) mkdir -p "$index/x" ;;
      link) ln -s "$FOLDER/precious" "$index" ;;
      fifo) mkfifo "$index" ;;
    esac
    run -0 timeout 60 "$PREFIX/bin/rocketvps-restore" preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"backup\":\"$BACKUP\"}"
    [[ $(at data.files.count) == "$count" ]] || { printf '%s: %s\n' "$form" "$output"; return 1; }
    run -0 timeout 60 "$PREFIX/bin/rocketvps-restore" list_backups "{\"domain\":\"$WORLD_DOMAIN\"}"
  done
  [[ $(<"$FOLDER/precious") == precious ]]
  rm -rf "$index"
}

@test "a token of no plan, and one of another domain's" {
  local token
  run rv call restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"plan_token\":\"no-such-token\"}"
  [[ $status -ne 0 && $(value code) == @(plan_stale|bad_request) ]]
  run -0 rv call validate "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"components\":{\"files\":true}}"
  token=$(value plan_token)
  # The plan was for the files alone.
  restore "\"plan_token\":\"$token\""
  refused plan_stale
}
