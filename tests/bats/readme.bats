#!/usr/bin/env bats
# The examples of README.md, as they stand there; only the domain and the configuration are the world's.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
  make_world
  README=$BATS_TEST_DIRNAME/../../README.md
  BEFORE=$(world digest "$PLACE")
  export README BEFORE
}
teardown_file() { end_world; }

setup() {
  world damage "$PLACE"
}

# The code block of a language, the first one or the one of that number.
example() { # LANGUAGE [NUMBER]
  awk -v mark="\`\`\`$1" -v wanted="${2:-1}" '$0 == mark { inside = ++seen; next } /^```$/ { inside = 0 } inside == wanted' "$README"
}

# Runs the bash block of that number as it stands, for the world's domain.
run_example() { # NUMBER
  example bash "$1" | sed "s/example\.com/$WORLD_DOMAIN/g" >"$FOLDER/example.sh"
  [[ -s $FOLDER/example.sh && $(grep -c '' "$FOLDER/example.sh") -le 12 ]]
  PATH=$PREFIX/bin:$PATH run -0 bash -e "$FOLDER/example.sh"
}

@test "bash: list, diff, restore, and back" {
  damaged=$(world digest "$PLACE")
  run_example 1
  [[ $output == *backup_20250101_120000.tar.gz* && $output == *'- wp-content/uploads/shell.php'* ]]
  [[ $output == *"$WORLD_DOMAIN restored from"* && $output == *"$WORLD_DOMAIN brought back from"* ]]
  digest_is "$damaged"
}

@test "bash: a part, as a job" {
  run ! test -e "$WORLD_ROOT/wp-content/uploads/2024"
  run_example 2
  [[ ${lines[-1]} == restored && $output != *'not restored'* ]]
  [[ -d $WORLD_ROOT/wp-content/uploads/2024 && ! -d $WORLD_ROOT/wp-admin ]]
}

@test "bash: a call" {
  run_example 3
  [[ $output == '{'*'"ok":true'*'"plan_token"'*'}' ]]
}

@test "C" {
  example c | sed "s|\\\\\"domain\\\\\":\\\\\"example\.com|\\\\\"config\\\\\":\\\\\"$RV_CONFIG\\\\\",\\\\\"domain\\\\\":\\\\\"$WORLD_DOMAIN|" >"$FOLDER/example.c"
  grep -qF "$WORLD_DOMAIN" "$FOLDER/example.c"
  # shellcheck disable=SC2046  # flags are words
  gcc -std=c99 -Wall -Wextra -Wpedantic -Werror -o "$FOLDER/example" "$FOLDER/example.c" \
    $(PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig pkg-config --cflags --libs rocketvps-restore)
  LD_LIBRARY_PATH=$PREFIX/lib run -0 "$FOLDER/example"
  [[ $output == *'"ok":true'* ]]
  digest_is "$BEFORE"
}

@test "PHP" {
  example php | sed -e "s|new SocketTransport(.*'mai')|new RocketVps\\\\Restore\\\\ProcessTransport('$PREFIX/bin/rocketvps-restore'), '$RV_CONFIG'|" \
    -e "s/example\.com/$WORLD_DOMAIN/" >"$FOLDER/example.php"
  grep -qF "'$RV_CONFIG'" "$FOLDER/example.php"
  run -0 php -d include_path="$PREFIX/share/php" "$FOLDER/example.php"
  [[ $output == *'100 %'* ]]
  digest_is "$BEFORE"
}
