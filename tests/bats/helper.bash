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

# A world that `world reset` brings back to where it is now, and `world reset PLACE damaged` to the damaged one. SAVED is a
# copy of the good site; before.PART is what the parts look like damaged.
# shellcheck disable=SC2034  # read by the tests
make_saved_world() {
  make_world
  world save "$PLACE"
  SAVED=$PLACE/stage/saved/good/site
  GOOD=$(world digest "$PLACE")
  export SAVED GOOD
}

save_damaged() {
  world reset "$PLACE"
  world damage "$PLACE"
  world save "$PLACE" damaged
  remember
  mkdir "$FOLDER/damaged"
  cp "$FOLDER"/before.* "$FOLDER/damaged/"
}

reset_damaged() {
  world reset "$PLACE" damaged
  cp "$FOLDER/damaged"/* "$FOLDER/"
}

# The state that is_unchanged compares with.
remember() {
  local part
  for part in files database config neighbour; do world manifest "$PLACE" "$part" >"$FOLDER/before.$part"; done
}

database_is_unchanged() { part_is database "$FOLDER/before.database"; }
config_is_unchanged() { part_is config "$FOLDER/before.config"; }
files_are_unchanged() { part_is files "$FOLDER/before.files"; }
is_unchanged() { files_are_unchanged && database_is_unchanged && config_is_unchanged; }

restore() { # REQUEST-FIELDS
  run rv call restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true${1:+,$1}}"
}

# A restore that has to end well.
restored() { # REQUEST-FIELDS
  restore "$@"
  [[ ${status:?} -eq 0 ]] || { printf 'exit %s: %s\n' "$status" "$output"; return 1; }
}

# Back to before the restore whose answer is $output.
rolled_back() {
  run -0 rv call rollback "{\"domain\":\"$WORLD_DOMAIN\",\"job\":\"$(value job)\",\"wait\":true}"
}

# The value at a place of $output, as text; an array or object as JSON. Fails where there is nothing.
at() { # PLACE, as in data.files.count
  # shellcheck disable=SC2016  # PHP's variables
  php -r '$value = json_decode(stream_get_contents(STDIN), true);
    foreach (explode(".", $argv[1]) as $key) {
      if (!is_array($value) || !array_key_exists($key, $value)) { exit(1); }
      $value = $value[$key];
    }
    echo is_string($value) ? $value : json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);' "$1" <<<"${output:?}"
}

# Words as a JSON list, whatever they are made of.
list() { # WORD...
  # shellcheck disable=SC2016  # PHP's variables
  php -r 'echo json_encode(array_slice($argv, 1), JSON_UNESCAPED_SLASHES | JSON_THROW_ON_ERROR);' -- "$@"
}

part_is() { # PART MANIFEST-FILE
  diff "$2" <(world manifest "$PLACE" "$1") | head -n 30
  return "${PIPESTATUS[0]}"
}

# A manifest without what smart backups leave out.
without_left_out() {
  grep -avE '/(cache|logs|vendor|node_modules|\.git|tmp|temp|\.cache)(/|$)|\.log$'
}

# The process that works on a job.
worker_of() { # JOB
  local entry
  for entry in /proc/[0-9]*; do
    if [[ $(readlink "$entry/exe" 2>/dev/null) == */rocketvps-restore* ]] && tr '\0' '\n' <"$entry/cmdline" 2>/dev/null | grep -qE "/$1\$"; then
      printf '%s\n' "${entry#/proc/}"
      return 0
    fi
  done
  return 1
}
