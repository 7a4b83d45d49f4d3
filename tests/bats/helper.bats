#!/usr/bin/env bats
# The helper's contract: what it prints, and how it exits.

bats_require_minimum_version 1.5.0
load helper

setup_file() { make_world; }
teardown_file() { end_world; }

@test "--help names every command, help call every call, and both go through a pipe as they are" {
  local word
  run -0 rv --help
  for word in domains list preview diff validate verify restore rollback snapshot snapshots delete-snapshot jobs status attach wait \
    cancel logs cleanup recover call help; do
    [[ $output == *$'\n'"  $word "* ]] || { printf '%s is not named\n' "$word"; return 1; }
  done
  [[ $output == "$(rv help)" && $output == "$(rv)" && $output != *$'\e'* ]]
  run -0 rv help call
  for word in list_backups preview_backup diff_backup validate restore_start restore_poll restore_cancel rollback create_snapshot \
    list_snapshots verify cleanup list_jobs recover; do
    [[ $output == *"$word"* ]] || { printf '%s is not named\n' "$word"; return 1; }
  done
  [[ $(rv restore --help) == "$(rv help restore)" ]]
}

@test "--version is the version of the crate" {
  run -0 rv --version
  [[ $output == "rocketvps-restore $(sed -n 's/^version = "\(.*\)"/\1/p' "$BATS_TEST_DIRNAME/../../Cargo.toml" | head -n 1)" ]]
}

@test "abi_version and version are documents" {
  run -0 rv call abi_version
  [[ $output == *'"ok":true'* ]]
  run -0 rv call version
  [[ $output == *'"schema":1'* ]]
}

@test "an unknown call and an unknown option are usage errors" {
  run rv fly_to_the_moon '{}'
  refused usage
  run rv call fly_to_the_moon
  refused usage
  run --separate-stderr rv --fly
  [[ $status -eq 2 && -z $output && $stderr == *usage:*--fly*'rocketvps-restore help'* ]]
}

@test "the request comes from standard input with -" {
  run -0 rv call list_backups - <<<"{\"domain\":\"$WORLD_DOMAIN\"}"
  [[ $output == *backup_20250101_120000.tar.gz* ]]
}

@test "for this release a call needs no word before it, where JSON or - is behind its name" {
  [[ $(rv list_backups "{\"domain\":\"$WORLD_DOMAIN\"}") == "$(rv call list_backups "{\"domain\":\"$WORLD_DOMAIN\"}")" ]]
  # A command of that name answers as text.
  run -0 rv verify "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  [[ $output == '{"schema"'* ]]
  run -0 rv verify - <<<"{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  [[ $output == '{"schema"'* ]]
  run -0 rv verify "$WORLD_DOMAIN"
  [[ $output != '{'* ]]
}

@test "--config wins over RV_CONFIG" {
  run rv --config /nonexistent/restore.toml call list_backups "{\"domain\":\"$WORLD_DOMAIN\"}"
  refused config_invalid
}

@test "the answer is one line of JSON on standard output, and nothing on standard error" {
  run -0 --separate-stderr rv call list_backups "{\"domain\":\"$WORLD_DOMAIN\"}"
  [[ ${#lines[@]} -eq 1 && -z $stderr ]]
  [[ $output == '{'*'}' ]]
}

@test "preview, validate and verify give their documents" {
  run -0 rv call preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  [[ $output == *wp_posts* && $output == *'"space"'* ]]
  run -0 rv call validate "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  [[ $output == *'"outcome":"pass"'* && $output != *'"outcome":"fail"'* ]]
  run -0 rv call verify "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  [[ $output != *'"outcome":"fail"'* ]]
}

@test "restore_start answers at once, wait gives the result, list_jobs remembers" {
  before=$(world digest "$PLACE")
  world damage "$PLACE"
  run -0 rv call restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"backup\":\"$BACKUP\"}"
  job=$(value job)
  run rv call restore_start "{\"domain\":\"$WORLD_DOMAIN\"}"
  refused busy
  run -0 rv wait "$job"
  run -0 rv call restore_poll "{\"job\":\"$job\"}"
  [[ $(value state) == 'done' && $(value percent) == 100* ]]
  digest_is "$before"
  run -0 rv call list_jobs
  [[ $output == *"$job"* ]]
}

@test "a portable snapshot is made, listed, rolled back to and deleted" {
  before=$(world digest "$PLACE")
  run -0 rv call create_snapshot "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  snapshot=$(find "$PLACE/base/snapshots/$WORLD_DOMAIN" -name files.tar.gz -printf '%h\n' | head -n 1)
  [[ -f $snapshot/database.sql.gz && -f $snapshot/config.tar.gz && -f $snapshot/manifest.json ]]
  gzip -t "$snapshot/files.tar.gz" "$snapshot/database.sql.gz" "$snapshot/config.tar.gz"
  run -0 rv call list_snapshots "{\"domain\":\"$WORLD_DOMAIN\"}"
  [[ $output == *"$snapshot"* ]]
  world damage "$PLACE"
  run -0 rv call rollback "{\"domain\":\"$WORLD_DOMAIN\",\"snapshot\":\"$snapshot\",\"wait\":true}"
  digest_is "$before"
  run -0 rv call delete_snapshot "{\"domain\":\"$WORLD_DOMAIN\",\"snapshot\":\"$snapshot\",\"wait\":true}"
  [[ ! -e $snapshot ]]
}

@test "no secret is in arguments, environment, logs, journal or status" {
  run -0 rv call restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"backup\":\"$BACKUP\",\"wait\":true}"
  run ! grep -rqF "$WORLD_PASSWORD" "$PLACE/base/restore_jobs" "$PLACE/base/restore_logs"
}

@test "cleanup leaves the site as it is" {
  before=$(world digest "$PLACE")
  run -0 rv call cleanup '{"wait":true}'
  digest_is "$before"
}
