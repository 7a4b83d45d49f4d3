#!/usr/bin/env bats
# The helper's contract: what it prints, and how it exits.

bats_require_minimum_version 1.5.0
load helper

setup_file() { make_world; }
teardown_file() { end_world; }

@test "--help names every call" {
  run -0 rv --help
  for call in list_backups preview_backup diff_backup validate restore_start restore_poll restore_cancel rollback create_snapshot \
    list_snapshots verify cleanup list_jobs recover wait; do
    [[ $output == *"$call"* ]]
  done
}

@test "--version is the version of the crate" {
  run -0 rv --version
  [[ $output == "rocketvps-restore $(sed -n 's/^version = "\(.*\)"/\1/p' "$BATS_TEST_DIRNAME/../../Cargo.toml" | head -n 1)" ]]
}

@test "abi_version and version are documents" {
  run -0 rv abi_version
  [[ $output == *'"ok":true'* ]]
  run -0 rv version
  [[ $output == *'"schema":1'* ]]
}

@test "an unknown call and an unknown option are usage errors" {
  run rv fly_to_the_moon '{}'
  refused usage
  run rv --fly
  refused usage
}

@test "the request comes from standard input with -" {
  run -0 rv list_backups - <<<"{\"domain\":\"$WORLD_DOMAIN\"}"
  [[ $output == *backup_20250101_120000.tar.gz* ]]
}

@test "--config wins over RV_CONFIG" {
  run rv --config /nonexistent/restore.toml list_backups "{\"domain\":\"$WORLD_DOMAIN\"}"
  refused config_invalid
}

@test "the answer is one line of JSON on standard output, and nothing on standard error" {
  run -0 --separate-stderr rv list_backups "{\"domain\":\"$WORLD_DOMAIN\"}"
  [[ ${#lines[@]} -eq 1 && -z $stderr ]]
  [[ $output == '{'*'}' ]]
}

@test "preview, validate and verify give their documents" {
  run -0 rv preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  [[ $output == *wp_posts* && $output == *'"space"'* ]]
  run -0 rv validate "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  [[ $output == *'"outcome":"pass"'* && $output != *'"outcome":"fail"'* ]]
  run -0 rv verify "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  [[ $output != *'"outcome":"fail"'* ]]
}

@test "restore_start answers at once, wait gives the result, list_jobs remembers" {
  before=$(world digest "$PLACE")
  world damage "$PLACE"
  run -0 rv restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"backup\":\"$BACKUP\"}"
  job=$(value job)
  run rv restore_start "{\"domain\":\"$WORLD_DOMAIN\"}"
  refused busy
  run -0 rv wait "$job"
  run -0 rv restore_poll "{\"job\":\"$job\"}"
  [[ $(value state) == 'done' && $(value percent) == 100* ]]
  digest_is "$before"
  run -0 rv list_jobs
  [[ $output == *"$job"* ]]
}

@test "a portable snapshot is made, listed, rolled back to and deleted" {
  before=$(world digest "$PLACE")
  run -0 rv create_snapshot "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true}"
  snapshot=$(find "$PLACE/base/snapshots/$WORLD_DOMAIN" -name files.tar.gz -printf '%h\n' | head -n 1)
  [[ -f $snapshot/database.sql.gz && -f $snapshot/config.tar.gz && -f $snapshot/manifest.json ]]
  gzip -t "$snapshot/files.tar.gz" "$snapshot/database.sql.gz" "$snapshot/config.tar.gz"
  run -0 rv list_snapshots "{\"domain\":\"$WORLD_DOMAIN\"}"
  [[ $output == *"$snapshot"* ]]
  world damage "$PLACE"
  run -0 rv rollback "{\"domain\":\"$WORLD_DOMAIN\",\"snapshot\":\"$snapshot\",\"wait\":true}"
  digest_is "$before"
  run -0 rv delete_snapshot "{\"domain\":\"$WORLD_DOMAIN\",\"snapshot\":\"$snapshot\",\"wait\":true}"
  [[ ! -e $snapshot ]]
}

@test "no secret is in arguments, environment, logs, journal or status" {
  run -0 rv restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"backup\":\"$BACKUP\",\"wait\":true}"
  run ! grep -rqF "$WORLD_PASSWORD" "$PLACE/base/restore_jobs" "$PLACE/base/restore_logs"
}

@test "cleanup leaves the site as it is" {
  before=$(world digest "$PLACE")
  run -0 rv cleanup '{"wait":true}'
  digest_is "$before"
}
