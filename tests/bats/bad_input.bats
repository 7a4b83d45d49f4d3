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
  run rv restore_start '{"domain":"nobody.example","wait":true}'
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
  run rv restore_start '{"domain":'
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
  run rv restore_start '{"domain":"neighbour.example","components":{"database":true},"wait":true}'
  rm -r "$PLACE/base/backups/neighbour.example"
  refused credentials_missing
}

@test "server down" {
  sed 's|^socket = .*|socket = "/nonexistent/db.sock"|' "$RV_CONFIG" >"$FOLDER/down.toml"
  run rv --config "$FOLDER/down.toml" restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  refused database_unreachable
  [[ $output == *db.sock* ]]
}

@test "not enough space" {
  sed 's|^\[mysql\]|[limits]\nheadroom_bytes = 1000000000000000\n[mysql]|' "$RV_CONFIG" >"$FOLDER/full.toml"
  run rv --config "$FOLDER/full.toml" restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
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
  sed -i 's/index index.php;/bogus_directive on;/' "$FOLDER/x/config/nginx.conf"
  file=$(packed 20200114_000000)
  restore "\"backup\":\"$file\""
  rm "$file"
  refused config_rejected
}

@test "an unknown job and a job name that is a path" {
  run rv restore_poll '{"job":"000000000000"}'
  [[ $status -ne 0 && $(value code) == @(job_not_found|bad_request) ]]
  run rv restore_poll '{"job":"../../etc"}'
  [[ $status -ne 0 && $(value code) == @(job_not_found|bad_request) ]]
}
