# What the bats files share: one world a file, and short words for calls and digests.
# PREFIX is where library and helper are installed (scripts/test.sh sets it).

world() {
  "$BATS_TEST_DIRNAME/../harness/world.sh" "$@"
}

# shellcheck disable=SC2034  # read by the tests
make_world() {
  FOLDER=$(mktemp -d /tmp/rv-bats.XXXXXX)
  chmod 0711 "$FOLDER"
  PLACE=$FOLDER/w
  world up "$PLACE" >/dev/null
  # shellcheck source=/dev/null
  source "$PLACE/env"
  BACKUP=$(world backup "$PLACE" --stamp 20250101_120000)
  export FOLDER PLACE BACKUP RV_CONFIG WORLD_DOMAIN WORLD_ROOT WORLD_BACKUPS WORLD_SCHEMA WORLD_PASSWORD
}

end_world() {
  world down "$PLACE"
  rm -rf "$FOLDER"
}

# The helper, with the world's configuration.
rv() {
  "$PREFIX/bin/rocketvps-restore" "$@"
}

# The value of a key in the compact JSON of $output.
value() { # KEY
  grep -oE "\"$1\":(\"[^\"]*\"|[0-9.]+|true|false|null)" <<<"${output:?}" | head -n 1 | sed -E 's/^"[^"]*"://; s/^"(.*)"$/\1/'
}

# The call just run ended with this error: code in the document, its number as exit status, a hint that says what to do.
refused() { # CODE
  if [[ $(value code) != "$1" || $(value number) != "${status:?}" || -z $(value hint) || -z $(value message) ]]; then
    printf 'expected %s, got exit %s: %s\n' "$1" "$status" "$output"
    return 1
  fi
}

digest_is() { # DIGEST
  local now
  now=$(world digest "$PLACE")
  [[ $now == "$1" ]] || { diff <(printf '%s\n' "$1") <(printf '%s\n' "$now"); return 1; }
}
