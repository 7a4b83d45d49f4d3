#!/usr/bin/env bats
# docs/user-guide.md: every command of its bash blocks is run as it stands (those in sh name files that are not here), every screen is named.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
  make_world
  GUIDE=$BATS_TEST_DIRNAME/../../docs/user-guide.md
  export GUIDE RESTORE_HELPER=$PREFIX/bin/rocketvps-restore
}
teardown_file() { end_world; }

@test "every block of commands works, one after the other" {
  local number=0 blocks block
  blocks=$(grep -c '^```bash$' "$GUIDE")
  [[ $blocks -ge 10 ]]
  world damage "$PLACE"
  while ((++number <= blocks)); do
    block=$FOLDER/block.$number
    awk -v wanted="$number" '$0 == "```bash" { inside = ++seen; next } /^```$/ { inside = 0 } inside == wanted' "$GUIDE" |
      sed "s/example\.com/$WORLD_DOMAIN/g; s|/opt/rocketvps/modules|$BATS_TEST_DIRNAME/../../shell|g" >"$block"
    [[ -s $block ]]
    # The menus are left at once.
    PATH=$PREFIX/bin:$PATH BACKUP_BASE_DIR=$PLACE/base/backups SNAPSHOT_DIR=$PLACE/base/snapshots RESTORE_LOG_DIR=$PLACE/base/restore_logs \
      RESTORE_TEMP_DIR=$FOLDER/tmp run bash -e "$block" <<<q
    [[ $status -eq 0 ]] || { printf 'block %d ended with %d:\n%s\n%s\n' "$number" "$status" "$(cat "$block")" "$output"; return 1; }
    [[ $output != *'the next cleanup'* ]] || { printf 'block %d left something behind:\n%s\n' "$number" "$output"; return 1; }
  done
}

@test "every screen is named, and every screen that is named is there" {
  local name
  for name in "$BATS_TEST_DIRNAME"/../../docs/screens/*.txt; do
    grep -qF "docs/screens/${name##*/}" "$GUIDE" || { printf '%s is not in the guide\n' "${name##*/}"; return 1; }
  done
  while IFS= read -r name; do
    [[ -f $BATS_TEST_DIRNAME/../../$name ]] || { printf '%s is not there\n' "$name"; return 1; }
  done < <(grep -oE 'docs/screens/[a-z0-9-]+\.txt' "$GUIDE")
}

# shellcheck disable=SC2016  # marks of Markdown
@test "every error that the guide names is one of the engine's" {
  local name
  while IFS= read -r name; do
    grep -q "\"$name\"" "$BATS_TEST_DIRNAME/../../src/error.rs" || { printf '%s\n' "$name"; return 1; }
  done < <(grep '^| ' "$GUIDE" | cut -d '|' -f 2 | grep -oE '`[a-z]+_[a-z_]+`' | tr -d '`')
}
