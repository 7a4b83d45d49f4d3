#!/usr/bin/env bats
# Any part of a backup: a folder, a file, a table, a certificate. Everything that was not asked for stays byte by byte; a
# rollback brings back exactly what was there; a worker killed in the middle leaves the old state or the new one.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
  make_saved_world
  local table
  mkdir "$FOLDER/tables"
  world sql "$PLACE" "SELECT table_name FROM information_schema.tables WHERE table_schema = '$WORLD_SCHEMA' ORDER BY 1" >"$FOLDER/tables/names"
  while IFS= read -r table; do
    world manifest "$PLACE" tables "$table" >"$FOLDER/tables/$table"
  done <"$FOLDER/tables/names"
  save_damaged
}
teardown_file() { end_world; }

setup() {
  reset_damaged
  expect_as_live
}

teardown() {
  [[ -z $(world strays "$PLACE") ]]
  part_is neighbour "$FOLDER/before.neighbour"
}

# The tree that the next restore should end with: as it is, but for what `take` says.
expect_as_live() {
  EXPECTED=$FOLDER/expected
  rm -rf "$EXPECTED"
  cp -a "$WORLD_ROOT" "$EXPECTED"
}

# The test has changed the site: this is what the restore meets.
met() {
  remember
  expect_as_live
}

# What is at these paths in the backup is expected live.
take() { # PATH...
  local path parent
  for path; do
    rm -rf "${EXPECTED:?}/$path"
    parent=$(dirname "$path")
    if [[ ! -d $EXPECTED/$parent ]]; then
      (cd "$EXPECTED" && mkdir -p "$parent" && while [[ $parent != . ]]; do chown www-data:www-data "$parent"; parent=$(dirname "$parent"); done)
    fi
    cp -a "$SAVED/$path" "$EXPECTED/$path"
  done
}

# What stands below the document root is the site's: of root's own the owner would stay.
is_the_sites() { # PATH...
  local path
  for path; do
    chown -Rh --reference="$WORLD_ROOT/index.php" "$WORLD_ROOT/$path"
  done
}

files_are_expected() {
  diff <(world tree "$PLACE" "$EXPECTED") <(world manifest "$PLACE" files) | head -n 30
  return "${PIPESTATUS[0]}"
}

# The named tables are as in the backup, every other one as it was before; so are routines and events.
only_tables_changed() { # TABLE...
  local table
  for table; do
    diff "$FOLDER/tables/$table" <(world manifest "$PLACE" tables "$table") | head -n 10
    [[ ${PIPESTATUS[0]} -eq 0 ]] || { printf '%s is not as in the backup\n' "$table"; return 1; }
  done
  diff <(but_tables "$@" <"$FOLDER/before.database") <(world manifest "$PLACE" database | but_tables "$@") | head -n 30
  [[ ${PIPESTATUS[0]} -eq 0 ]] || { printf 'something else has changed\n'; return 1; }
}

# A manifest of the database without what belongs to these tables: definition, rows, triggers.
but_tables() { # TABLE...
  # shellcheck disable=SC2016  # PHP's variables
  php -r '$text = stream_get_contents(STDIN);
    foreach (array_slice($argv, 1) as $table) {
      $bare = preg_quote($table, "~");
      $name = preg_quote("`" . str_replace("`", "``", $table) . "`", "~");
      $text = preg_replace("~^DROP TABLE IF EXISTS $name;\n.*?^UNLOCK TABLES;\n~ms", "", $text);
      $text = preg_replace("~^/\*!50003 SET @saved_cs_client[^\n]*\n(?:(?!^DELIMITER ;\n).)*? ON `?$bare`? .*?^/\*!50003 SET collation_connection  = @saved_col_connection[^\n]*\n~ms", "", $text);
    }
    echo $text;' -- "$@"
}

# A pattern of the request names nothing of the backup.
matches_nothing() {
  [[ ${status:?} -ne 0 && $(value code) == @(bad_request|backup_incomplete) && $output == *'matches nothing'* ]]
}

files() { # PATTERN...: the request field
  printf '"components":{"files":%s}' "$(list "$@")"
}

tables() { # PATTERN...: the request field
  printf '"components":{"database":%s}' "$(list "$@")"
}

# Starts the restore again and again, kills its worker after each delay, and lets a recovery decide: old or new, never mixed.
killed_in_the_middle() { # REQUEST-FIELDS DELAY...
  local request=$1 delay old new now left job pid killed=0
  shift
  old=$(world digest "$PLACE")
  restored "$request"
  new=$(world digest "$PLACE")
  [[ $old != "$new" ]]
  rolled_back
  digest_is "$old"
  for delay; do
    run -0 rv call restore_start "{\"domain\":\"$WORLD_DOMAIN\",$request}"
    job=$(value job)
    sleep "$delay"
    if pid=$(worker_of "$job"); then
      kill -KILL "$pid" && killed=$((killed + 1))
      # It is dead when the kernel has taken down the last of its threads, not when the signal was sent.
      while grep -qs '^State:.[^ZX]' "/proc/$pid"/task/*/status; do sleep 0.01; done
    fi
    run -0 rv call recover '{"wait":true}'
    now=$(world digest "$PLACE")
    [[ $now == "$old" || $now == "$new" ]] || {
      printf 'killed after %s s: neither side\n' "$delay"
      diff <(printf '%s\n' "$old") <(printf '%s\n' "$now")
      return 1
    }
    left=$(world strays "$PLACE")
    [[ -z $left ]] || { printf 'killed after %s s, recovery left: %s\n' "$delay" "$left"; return 1; }
    if [[ $now == "$new" ]]; then
      run rv call rollback "{\"domain\":\"$WORLD_DOMAIN\",\"job\":\"$job\",\"wait\":true}"
      [[ $status -eq 0 ]] || { printf 'after a recovery that finished: %s\n' "$output"; return 1; }
      digest_is "$old"
    fi
  done
  ((killed > 0)) || { printf 'every restore ended before it was killed\n'; return 1; }
}

# Another pair, as good as the first: nginx takes both.
other_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$WORLD_DOMAIN" \
    -addext "subjectAltName=DNS:$WORLD_DOMAIN" -keyout "$PLACE/ssl/$WORLD_DOMAIN/privkey.pem" \
    -out "$PLACE/ssl/$WORLD_DOMAIN/fullchain.pem" 2>/dev/null
}

certificate_is_back() {
  cmp "$PLACE/stage/saved/good/ssl/$WORLD_DOMAIN/privkey.pem" "$PLACE/ssl/$WORLD_DOMAIN/privkey.pem" &&
    cmp "$PLACE/stage/saved/good/ssl/$WORLD_DOMAIN/fullchain.pem" "$PLACE/ssl/$WORLD_DOMAIN/fullchain.pem"
}

# --- files ------------------------------------------------------------------------------------------------------------

@test "one folder: as in the backup, all else as it was; rolled back, it is gone again" {
  take wp-content/uploads/2024
  restored "$(files wp-content/uploads/2024/)"
  files_are_expected
  database_is_unchanged
  config_is_unchanged
  rolled_back
  is_unchanged
}

@test "one file: as in the backup, all else as it was; rolled back, the defaced one is there again" {
  take wp-content/themes/rocket/index.php
  restored "$(files wp-content/themes/rocket/index.php)"
  files_are_expected
  database_is_unchanged
  rolled_back
  is_unchanged
  # And forward again.
  rolled_back
  files_are_expected
}

@test "a folder that stands live is replaced as a whole: what the backup does not have is gone from it" {
  mkdir "$WORLD_ROOT/wp-content/themes/rocket/evil"
  printf 'evil\n' >"$WORLD_ROOT/wp-content/themes/rocket/evil/a.php"
  met
  take wp-content/themes/rocket
  restored "$(files wp-content/themes/rocket)"
  files_are_expected
  rolled_back
  is_unchanged
}

@test "a glob: the files it names come back, into folders that are gone too" {
  local path
  take wp-content/rv-side.php
  for path in "$SAVED"/wp-admin/*.php; do take "wp-admin/${path##*/}"; done
  restored "$(files 'wp-admin/*.php' 'wp-content/rv-sid?.{php,html}')"
  files_are_expected
  rolled_back
  is_unchanged
}

@test "two stars cross folders" {
  local path
  while IFS= read -r path; do take "$path"; done < <(cd "$SAVED" && find wp-content/uploads -name 'photo-1*.jpg')
  restored "$(files 'wp-content/**/photo-1*.jpg')"
  files_are_expected
}

@test "patterns that overlap restore once" {
  take wp-content/uploads/2024 wp-content/rv-side.php
  restored "$(files wp-content/uploads/2024/ 'wp-content/uploads/2024/**/*.jpg' wp-content/uploads/2024 wp-content/rv-side.php wp-content/rv-side.php)"
  files_are_expected
  rolled_back
  is_unchanged
}

@test "links and hard links are restored as such" {
  rm "$WORLD_ROOT/wp-content/latest" "$WORLD_ROOT/wp-content/uploads/pair.txt" "$WORLD_ROOT/wp-content/uploads/pair-too.txt"
  ln -s /etc/passwd "$WORLD_ROOT/wp-content/latest"
  is_the_sites wp-content/latest
  met
  take wp-content/latest wp-content/uploads/pair.txt wp-content/uploads/pair-too.txt
  restored "$(files wp-content/latest 'wp-content/uploads/pair*.txt')"
  files_are_expected
  [[ $WORLD_ROOT/wp-content/uploads/pair.txt -ef $WORLD_ROOT/wp-content/uploads/pair-too.txt ]]
  rolled_back
  is_unchanged
}

@test "one name of a hard link alone is a file with its content" {
  rm "$WORLD_ROOT/wp-content/uploads/pair.txt" "$WORLD_ROOT/wp-content/uploads/pair-too.txt"
  met
  # Whichever of the two names tar wrote as a link to the other.
  take wp-content/uploads/pair.txt
  restored "$(files wp-content/uploads/pair.txt)"
  files_are_expected
  rolled_back
  take wp-content/uploads/pair-too.txt
  rm "$EXPECTED/wp-content/uploads/pair.txt"
  restored "$(files wp-content/uploads/pair-too.txt)"
  files_are_expected
}

@test "a file where a folder is live, a folder where a file is, a link where a folder is" {
  local uploads=$WORLD_ROOT/wp-content/uploads
  rm -rf "$uploads/shape-a" "$uploads/shape-b" "$uploads/link-or-folder"
  printf 'now a file\n' >"$uploads/shape-a"
  mkdir -p "$uploads/shape-b/deep" "$uploads/link-or-folder/deep"
  printf 'x\n' | tee "$uploads/shape-b/deep/x" "$uploads/link-or-folder/deep/x" >/dev/null
  is_the_sites wp-content/uploads/shape-a wp-content/uploads/shape-b wp-content/uploads/link-or-folder
  met
  take wp-content/uploads/shape-a wp-content/uploads/shape-b wp-content/uploads/link-or-folder
  restored "$(files wp-content/uploads/shape-a wp-content/uploads/shape-b wp-content/uploads/link-or-folder)"
  files_are_expected
  rolled_back
  is_unchanged
}

@test "a file below a folder that is a file now: refused or made, never half" {
  rm -rf "$WORLD_ROOT/wp-content/uploads/shape-a"
  printf 'in the way\n' >"$WORLD_ROOT/wp-content/uploads/shape-a"
  met
  restore "$(files wp-content/uploads/shape-a/inner.txt wp-content/rv-side.php)"
  if [[ $status -eq 0 ]]; then
    [[ $(<"$WORLD_ROOT/wp-content/uploads/shape-a/inner.txt") == 'inner 0' ]]
    rolled_back
  else
    [[ $output == *shape-a* && $(value code) != internal ]] || { printf '%s\n' "$output"; return 1; }
  fi
  is_unchanged
}

@test "a live folder that became a link to the neighbour is not followed" {
  rm -rf "$WORLD_ROOT/wp-content/themes/rocket"
  ln -s "$PLACE/web/neighbour.example" "$WORLD_ROOT/wp-content/themes/rocket"
  is_the_sites wp-content/themes/rocket
  met
  restore "$(files wp-content/themes/rocket/index.php)"
  [[ $status -ne 0 ]] || rolled_back
  is_unchanged
  take wp-content/themes/rocket
  restored "$(files wp-content/themes/rocket/)"
  files_are_expected
  rolled_back
  is_unchanged
}

@test "names with spaces, quotes, newlines, backslashes and Vietnamese letters" {
  local names=(
    "it's \"quoted\".txt" $'new\nline.txt' 'Ảnh đẹp số 1.jpg' 'thư mục có dấu/tệp tin.txt' ' leading and trailing '
    "back\\slash.txt" '-dash'
  )
  local name paths=()
  rm -rf "$WORLD_ROOT/wp-content/uploads/names"
  met
  for name in "${names[@]}"; do
    paths+=("wp-content/uploads/names/$name")
    take "wp-content/uploads/names/$name"
  done
  restored "$(files "${paths[@]}")"
  files_are_expected
  rolled_back
  is_unchanged
  # And each alone.
  for name in "${names[@]}"; do
    restored "$(files "wp-content/uploads/names/$name")"
    cmp "$SAVED/wp-content/uploads/names/$name" "$WORLD_ROOT/wp-content/uploads/names/$name"
    [[ $(find "$WORLD_ROOT/wp-content/uploads/names" -type f -printf x) == x ]]
    rolled_back
  done
  is_unchanged
}

@test "a name that looks like a pattern is taken as it is written" {
  rm -rf "$WORLD_ROOT/wp-content/uploads/names"
  met
  take 'wp-content/uploads/names/[brackets]*/?{a,b}.txt'
  restored "$(files 'wp-content/uploads/names/[brackets]*/?{a,b}.txt')"
  files_are_expected
  rolled_back
  take 'wp-content/uploads/names/[brackets]*'
  restored "$(files 'wp-content/uploads/names/[brackets]*/')"
  files_are_expected
}

@test "thousands of matches: all of them, and all of them back" {
  local n many=$WORLD_ROOT/wp-content/uploads/many file
  world reset "$PLACE"
  mkdir "$many"
  for ((n = 0; n < 3000; n++)); do printf '%s\n' "$n" >"$many/file-$n.txt"; done
  printf 'not asked for\n' >"$many/other.bin"
  chown -R www-data:www-data "$many"
  file=$(world backup "$PLACE" --stamp 20250701_000000)
  rm -rf "$EXPECTED"
  cp -a "$WORLD_ROOT" "$EXPECTED"
  for ((n = 0; n < 3000; n += 2)); do printf 'changed\n' >"$many/file-$n.txt"; done
  rm "$many"/file-*9.txt
  printf 'not asked for, changed\n' | tee "$many/other.bin" >"$EXPECTED/wp-content/uploads/many/other.bin"
  touch -r "$many/other.bin" "$EXPECTED/wp-content/uploads/many/other.bin"
  world manifest "$PLACE" files >"$FOLDER/before.files"
  restored "\"backup\":\"$file\",$(files 'wp-content/uploads/many/*.txt')"
  files_are_expected
  rolled_back
  files_are_unchanged
  rm "$file"
}

@test "a pattern that matches nothing is named, and nothing else is done" {
  restore "$(files index.php 'no/such/folder/')"
  matches_nothing
  [[ $output == *no/such/folder/* ]]
  restore "$(files 'wp-content/*.nothing')"
  matches_nothing
  [[ $output == *'*.nothing'* ]]
  # A file is no folder.
  restore "$(files index.php/)"
  matches_nothing
  [[ $output == *index.php/* ]]
  # Through a link there is nothing in the backup.
  restore "$(files 'wp-content/latest/01/*.jpg')"
  matches_nothing
  restore "$(tables wp_posts wp_nothing)"
  matches_nothing
  [[ $output == *wp_nothing* ]]
  restore "$(tables 'shop_*')"
  matches_nothing
  [[ $output == *'shop_*'* ]]
  restore '"components":{"config":["apache"]}'
  refused bad_request
  [[ $output == *apache* ]]
  is_unchanged
}

@test "an empty folder can be had alone" {
  rm -rf "$WORLD_ROOT/wp-content/cache"
  met
  take wp-content/cache/empty
  restored "$(files wp-content/cache/empty/)"
  files_are_expected
  rolled_back
  is_unchanged
}

@test "one file that cannot be exchanged: none is" {
  chattr +i "$WORLD_ROOT/wp-content/themes/rocket/index.php" || skip 'no chattr on this filesystem'
  restore "$(files wp-content/rv-side.php wp-content/themes/rocket/index.php rv-probe.php)"
  chattr -i "$WORLD_ROOT/wp-content/themes/rocket/index.php"
  [[ $status -ne 0 && $output == *themes/rocket/index.php* ]] || { printf '%s %s\n' "$status" "$output"; return 1; }
  is_unchanged
}

# --- tables -----------------------------------------------------------------------------------------------------------

@test "one table that was dropped: as in the backup, all others as they were; rolled back, it is gone again" {
  restored "$(tables wp_postmeta)"
  only_tables_changed wp_postmeta
  files_are_unchanged
  config_is_unchanged
  rolled_back
  is_unchanged
  rolled_back
  only_tables_changed wp_postmeta
}

@test "one table that was changed" {
  restored "$(tables wp_posts)"
  only_tables_changed wp_posts
  rolled_back
  is_unchanged
}

@test "a glob of tables" {
  restored "$(tables 'wp_comment*' 'wp_?ostmeta')"
  only_tables_changed wp_comments wp_commentmeta wp_postmeta
  rolled_back
  is_unchanged
}

@test "a table whose name needs quoting" {
  # shellcheck disable=SC2016  # a name, no command
  local name='we`ird "tbl"'
  # shellcheck disable=SC2016
  world sql "$PLACE" "DELETE FROM $WORLD_SCHEMA.\`we\`\`ird \"tbl\"\` WHERE \`k\`\`ey\` > 3"
  met
  restored "$(tables "$name")"
  only_tables_changed "$name"
  rolled_back
  is_unchanged
  # A glob reaches it too.
  restored "$(tables 'we*tbl?')"
  only_tables_changed "$name"
}

@test "a table with a trigger comes with its trigger" {
  world sql "$PLACE" "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = '$WORLD_SCHEMA'" >"$FOLDER/none"
  [[ ! -s $FOLDER/none ]]
  restored "$(tables rv_orders)"
  only_tables_changed rv_orders
  [[ $(world sql "$PLACE" "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = '$WORLD_SCHEMA'") == rv_orders_stock ]]
  rolled_back
  is_unchanged
}

@test "rows that would refer to a table that was not selected: refused by the constraint's name, or allowed" {
  # Live, customers are gone that the orders of the backup refer to.
  world sql "$PLACE" "DELETE FROM $WORLD_SCHEMA.\`we\`\`ird \"tbl\"\`; UPDATE $WORLD_SCHEMA.rv_orders SET parent = NULL; DELETE FROM $WORLD_SCHEMA.rv_customers WHERE id > 100"
  met
  restore "$(tables rv_orders)"
  refused broken_reference
  [[ $output == *rv_orders_customer* ]]
  is_unchanged
  restored "$(tables rv_orders),\"options\":{\"allow_orphans\":true}"
  only_tables_changed rv_orders
  rolled_back
  is_unchanged
  restored "$(tables rv_orders rv_customers)"
  only_tables_changed rv_orders rv_customers
}

@test "rows that were not selected and would refer to nothing: refused by the constraint's name, or allowed" {
  # Live orders of a customer whom the backup does not know.
  world touch-up "$PLACE" 4
  met
  restore "$(tables rv_customers)"
  refused broken_reference
  [[ $output == *rv_orders_customer* ]]
  is_unchanged
  restored "$(tables rv_customers),\"options\":{\"allow_orphans\":true}"
  only_tables_changed rv_customers
  [[ $(world sql "$PLACE" "SELECT COUNT(*) FROM information_schema.referential_constraints WHERE constraint_schema = '$WORLD_SCHEMA'") == 3 ]]
  rolled_back
  is_unchanged
}

@test "a table that stays refers to the table that came, not to the one that went" {
  restored "$(tables rv_customers)"
  only_tables_changed rv_customers
  # The constraint is one that works: no order without a customer.
  run ! world sql "$PLACE" "INSERT INTO $WORLD_SCHEMA.rv_orders (customer, total, placed) VALUES (99999, 1, NOW())"
  world sql "$PLACE" "INSERT INTO $WORLD_SCHEMA.rv_customers (id, name) VALUES (99999, 'x'); INSERT INTO $WORLD_SCHEMA.rv_orders (customer, total, placed) VALUES (99999, 1, NOW())"
  world sql "$PLACE" "DELETE FROM $WORLD_SCHEMA.rv_customers WHERE id = 99999"
  [[ $(world sql "$PLACE" "SELECT COUNT(*) FROM $WORLD_SCHEMA.rv_orders WHERE customer = 99999") == 0 ]]
  # And after a rollback.
  world reset "$PLACE"
  met
  restored "$(tables rv_customers)"
  rolled_back
  run ! world sql "$PLACE" "INSERT INTO $WORLD_SCHEMA.rv_orders (customer, total, placed) VALUES (99999, 1, NOW())"
}

@test "a table of another schema cannot be named" {
  restore "$(tables neighbour.ledger)"
  matches_nothing
  restore "$(tables '*.ledger')"
  matches_nothing
  is_unchanged
}

@test "the dump of the backup is loaded for selected tables only: a broken other table does not matter" {
  rm -rf "$FOLDER/x"
  mkdir "$FOLDER/x"
  tar -xzf "$BACKUP" -C "$FOLDER/x"
  # shellcheck disable=SC2016  # no command
  sed -i 's/^INSERT INTO `wp_users` VALUES/INSERT INTO `wp_users` VALUES (1),/' "$FOLDER/x/database.sql"
  tar -C "$FOLDER/x" -czf "$WORLD_BACKUPS/backup_20250702_000000.tar.gz" ./config ./database.sql ./www
  restored "\"backup\":\"$WORLD_BACKUPS/backup_20250702_000000.tar.gz\",$(tables wp_posts)"
  only_tables_changed wp_posts
  rm "$WORLD_BACKUPS/backup_20250702_000000.tar.gz"
}

# --- configuration, several parts, exclusions ---------------------------------------------------------------------------

@test "each item of the configuration alone" {
  local item path
  for item in nginx php_fpm ssl cron; do
    world reset "$PLACE"
    world manifest "$PLACE" config >"$FOLDER/good.config"
    case $item in
      nginx) path=nginx/sites-available/$WORLD_DOMAIN ;;
      php_fpm) path=php/pool.d/$WORLD_DOMAIN.conf ;;
      ssl) path=ssl ;;
      cron) path=cron/shop_example ;;
    esac
    # Only this one is damaged: a broken neighbour item would rightly stop nginx's own test.
    case $item in
      ssl) other_certificate ;;
      cron) rm "$PLACE/$path" ;;
      *) printf '\n; changed\n' | sed "s/;/#/;/^$/d;s/# changed/$([[ $item == php_fpm ]] && printf ';' || printf '#') changed/" >>"$PLACE/$path" ;;
    esac
    met
    restored "\"components\":{\"config\":[\"$item\"]}"
    part_is config "$FOLDER/good.config"
    files_are_unchanged
    database_is_unchanged
    rolled_back
    is_unchanged
  done
}

@test "one certificate, while the rest of the configuration is changed and stays so" {
  world reset "$PLACE"
  other_certificate
  printf '# changed since\n' >>"$PLACE/nginx/sites-available/$WORLD_DOMAIN"
  rm "$PLACE/cron/shop_example"
  met
  restored '"components":{"config":["ssl"]}'
  certificate_is_back
  [[ $(tail -n 1 "$PLACE/nginx/sites-available/$WORLD_DOMAIN") == '# changed since' && ! -e $PLACE/cron/shop_example ]]
  rolled_back
  is_unchanged
}

@test "a folder, a table and a certificate in one restore, and back in one rollback" {
  world reset "$PLACE"
  rm -rf "$WORLD_ROOT/wp-content/uploads/2024"
  world sql "$PLACE" "DROP TABLE $WORLD_SCHEMA.wp_postmeta"
  other_certificate
  printf '// changed\n' >>"$WORLD_ROOT/index.php"
  met
  take wp-content/uploads/2024
  restored '"components":{"files":["wp-content/uploads/2024/"],"database":["wp_postmeta"],"config":["ssl"]}'
  files_are_expected
  only_tables_changed wp_postmeta
  certificate_is_back
  rolled_back
  is_unchanged
}

@test "exclude: a folder, a file, a table and an item stay as they are live" {
  local uploads=$WORLD_ROOT/wp-content/uploads
  world reset "$PLACE"
  printf 'mine\n' >"$WORLD_ROOT/wp-config-local.php"
  printf 'mine\n' | tee "$uploads/new-since.txt" >>"$uploads/replaced.txt"
  printf 'defaced\n' >"$WORLD_ROOT/index.php"
  world sql "$PLACE" "UPDATE $WORLD_SCHEMA.wp_options SET option_value = 'live' WHERE option_name = 'blogname'; DELETE FROM $WORLD_SCHEMA.wp_posts"
  printf '# changed since\n' >>"$PLACE/cron/shop_example"
  met
  take index.php
  restored '"exclude":{"files":["wp-content/uploads/","wp-config-local.php"],"database":["wp_options"],"config":["cron"]}'
  files_are_expected
  only_tables_changed wp_posts
  [[ $(tail -n 1 "$PLACE/cron/shop_example") == '# changed since' ]]
  rolled_back
  is_unchanged
}

@test "exclude works inside a selection" {
  take wp-content/uploads/2024
  rm -rf "$EXPECTED/wp-content/uploads/2024/01"
  restored "\"components\":{\"files\":[\"wp-content/uploads/2024/\"]},\"exclude\":{\"files\":[\"wp-content/uploads/2024/01/\"]}"
  files_are_expected
  rolled_back
  is_unchanged
}

@test "everything excluded is a request for nothing" {
  restore '"components":{"files":["index.php"]},"exclude":{"files":["index.php"]}'
  [[ $status -ne 0 && $(value code) == @(bad_request|backup_incomplete) ]]
  restore '"components":{"database":["wp_posts"]},"exclude":{"database":["wp_*"]}'
  [[ $status -ne 0 && $(value code) == @(bad_request|backup_incomplete) ]]
  is_unchanged
}

@test "a part can be had on a site that does not answer: it did not before" {
  world reset "$PLACE"
  rm -rf "$WORLD_ROOT/wp-content/uploads/2024"
  printf 'no PHP at all (\n' >>"$WORLD_ROOT/wp-config.php"
  run world fetch "$PLACE"
  [[ $output != *'Rocket Shop'* ]]
  met
  take wp-content/uploads/2024
  restored "$(files wp-content/uploads/2024/)"
  files_are_expected
}

@test "a dry run of a part changes nothing" {
  restored "\"components\":{\"files\":[\"index.php\"],\"database\":[\"wp_posts\"]},\"dry_run\":true"
  is_unchanged
}

# --- kill -9 ------------------------------------------------------------------------------------------------------------

@test "a worker killed while it restores a folder, a table and a certificate: old or new, never mixed" {
  world reset "$PLACE"
  rm -rf "$WORLD_ROOT/wp-content/uploads/2024"
  world sql "$PLACE" "DELETE FROM $WORLD_SCHEMA.wp_postmeta"
  other_certificate
  killed_in_the_middle '"components":{"files":["wp-content/uploads/2024/","wp-content/rv-side.php"],"database":["wp_postmeta","wp_users"],"config":["ssl"]}' \
    0.01 0.05 0.1 0.15 0.2 0.25 0.3 0.35 0.4 0.45 0.5 0.6 0.8
}

@test "a worker killed while it exchanges a thousand files: old or new, never mixed" {
  local n many=$WORLD_ROOT/wp-content/uploads/many file
  world reset "$PLACE"
  mkdir "$many"
  for ((n = 0; n < 1000; n++)); do printf '%s\n' "$n" >"$many/file-$n.txt"; done
  chown -R www-data:www-data "$many"
  file=$(world backup "$PLACE" --stamp 20250703_000000)
  for ((n = 0; n < 1000; n += 3)); do printf 'changed\n' >"$many/file-$n.txt"; done
  rm "$many"/file-*7.txt
  killed_in_the_middle "\"backup\":\"$file\",\"components\":{\"files\":[\"wp-content/uploads/many/*.txt\"]}" \
    0.05 0.15 0.2 0.25 0.3 0.35 0.4 0.45 0.5 0.55 0.6 0.7 0.8 1
  rm "$file"
}
