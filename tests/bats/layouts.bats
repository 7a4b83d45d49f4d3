#!/usr/bin/env bats
# Every layout in the field and every chain, made by the commands of the modules that write them, judged by what tar makes
# of the archives and by the harness's digest, never by what the engine says of itself.

bats_require_minimum_version 1.5.0
load helper

LAYOUTS=(design guide smart domain all_domains)

setup_file() {
  make_saved_world
  rm "$BACKUP"
  MADE=$FOLDER/made
  mkdir "$MADE"
  world manifest "$PLACE" files >"$MADE/good.files"
  local hour=1 layout n chain=()
  for layout in design guide domain all_domains smart; do
    world backup "$PLACE" --layout "$layout" --stamp "20250101_0${hour}0000" >"$MADE/$layout"
    world expect "$PLACE" "$(<"$MADE/$layout")" >"$MADE/$layout.files"
    hour=$((hour + 1))
  done
  chain=("$(<"$MADE/smart")")
  dumped_tables >"$MADE/dumped.0"
  for n in 1 2 3; do
    world touch-up "$PLACE" "$n"
    chain+=("$(world backup "$PLACE" --layout smart --incremental --stamp "2025010$((n + 1))_030000")")
    printf '%s\n' "${chain[n]}" >"$MADE/chain.$n"
    world expect "$PLACE" "${chain[@]}" >"$MADE/chain.$n.files"
    dumped_tables >"$MADE/dumped.$n"
  done
  cp -a "$PLACE/base/backups" "$FOLDER/backups"
  save_damaged
  export MADE
}
teardown_file() { end_world; }

# Each test begins with the damaged site, and with the backups as they were made.
setup() {
  rm -rf "$PLACE/base/backups"
  cp -a "$FOLDER/backups" "$PLACE/base/backups"
  reset_damaged
}

teardown() {
  [[ -z $(world strays "$PLACE") ]]
  part_is neighbour "$FOLDER/before.neighbour"
}

# The tables a smart dump of a WordPress holds.
DUMPED=(rv_customers rv_log rv_orders rv_stock 'we`ird "tbl"' wp_options wp_postmeta wp_posts wp_usermeta wp_users)

dumped_tables() {
  world manifest "$PLACE" tables "${DUMPED[@]}"
}

names_of_tables() {
  world sql "$PLACE" "SELECT table_name FROM information_schema.tables WHERE table_schema = '$WORLD_SCHEMA' AND table_type = 'BASE TABLE' ORDER BY 1"
}

from() { # MADE-NAME: the request field
  printf '"backup":"%s"' "$(<"$MADE/$1")"
}

# The chain ending here cannot be used, and the answer names the file that is to blame; nothing has changed.
broken_chain() { # MADE-NAME NAMED-FILE
  local call
  for call in preview_backup validate restore_start; do
    run rv call "$call" "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,$(from "$1")}"
    refused backup_chain_broken
    [[ $(value message) == *"$2"* ]] || { printf '%s does not name %s: %s\n' "$call" "$2" "$output"; return 1; }
  done
  is_unchanged
}

# --- every layout -----------------------------------------------------------------------------------------------------

@test "list_backups knows every layout, newest first" {
  run -0 rv call list_backups "{\"domain\":\"$WORLD_DOMAIN\"}"
  local found expected
  # shellcheck disable=SC2016  # PHP's variables
  found=$(php -r 'foreach (json_decode(stream_get_contents(STDIN), true)["data"]["backups"] as $b) echo $b["path"], "\n";' <<<"$output")
  expected=$(cat "$MADE"/chain.{3,2,1} "$MADE"/{smart,all_domains,domain,guide,design})
  diff <(printf '%s\n' "$expected") <(printf '%s\n' "$found")
  [[ $(at data.backups.0.kind) == incremental && $(at data.backups.0.base) == "$(<"$MADE/smart")" ]]
  [[ $(at data.backups.3.dump) == */database_20250101_050007.sql.gz ]]
}

@test "preview counts what tar and grep count, in every layout" {
  local layout files tables
  for layout in "${LAYOUTS[@]}"; do
    run -0 rv call preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,$(from "$layout")}"
    files=$(grep -ac '^file' "$MADE/$layout.files")
    case $layout in
      design | guide) tables=17 ;;
      smart) tables=10 ;;
      *) tables=0 ;;
    esac
    [[ $(at data.files.count) == "$files" ]] || { printf '%s: %s files, tar has %s\n' "$layout" "$(at data.files.count)" "$files"; return 1; }
    [[ $(at data.database.tables || printf 0) == "$tables" ]] || { printf '%s: %s\n' "$layout" "$output"; return 1; }
  done
  is_unchanged
}

@test "validate passes for every layout" {
  local layout
  # On the healthy site: its configuration is part of the checks.
  world reset "$PLACE"
  for layout in "${LAYOUTS[@]}"; do
    run -0 rv call validate "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,$(from "$layout")}"
    [[ $output != *'"outcome":"fail"'* && -n $(at data.plan_token) ]]
  done
  digest_is "$GOOD"
}

@test "design: files, database and configuration are as in the backup" {
  restored "$(from design)"
  digest_is "$GOOD"
}

@test "guide: files, database and configuration are as in the backup" {
  restored "$(from guide)"
  digest_is "$GOOD"
}

@test "domain: files are as in the archive, database and configuration stay" {
  restored "$(from domain)"
  part_is files "$MADE/domain.files"
  database_is_unchanged
  config_is_unchanged
  rolled_back
  is_unchanged
}

@test "all domains: one domain's files are as in the archive, the other's and the database stay" {
  restored "$(from all_domains)"
  part_is files "$MADE/all_domains.files"
  database_is_unchanged
  config_is_unchanged
  rolled_back
  is_unchanged
}

@test "all domains: an archive without this domain is refused by the names that are in it" {
  rm -rf "$FOLDER/x"
  mkdir -p "$FOLDER/x/other.example/other.example"
  printf 'x\n' >"$FOLDER/x/other.example/other.example/index.php"
  tar -C "$FOLDER/x" -czf "$PLACE/base/backups/all_domains_20250301_000000.tar.gz" .
  restore "\"backup\":\"$PLACE/base/backups/all_domains_20250301_000000.tar.gz\""
  [[ $status -ne 0 && $(value code) == @(backup_layout_unknown|backup_incomplete) && $output == *other.example* ]]
  is_unchanged
}

@test "a component that the layout does not have is an error, not a silent skip" {
  local layout
  for layout in domain all_domains; do
    restore "$(from $layout),\"components\":{\"files\":true,\"database\":true}"
    refused backup_incomplete
  done
  restore "$(from smart),\"components\":{\"config\":true}"
  refused backup_incomplete
  is_unchanged
}

# --- incomplete by design ---------------------------------------------------------------------------------------------

@test "smart: the site is as it was; what its writer leaves out stays as it is live" {
  # Caches, vendor and logs have moved on since the backup.
  world touch-up "$PLACE" 5
  printf 'grown\n' >>"$WORLD_ROOT/wp-content/plugins/shop/vendor/autoload.php"
  world manifest "$PLACE" files | grep -avF -f <(world manifest "$PLACE" files | without_left_out) >"$FOLDER/left-out.before" || true
  world manifest "$PLACE" tables wp_terms wp_links >"$FOLDER/terms.before"
  restored "$(from smart)"
  diff <(without_left_out <"$MADE/smart.files") <(world manifest "$PLACE" files | without_left_out)
  # Left-out folders and files, content and all.
  [[ $(<"$WORLD_ROOT/wp-content/cache/page/home.html") == *'round 5'* ]]
  [[ $(<"$WORLD_ROOT/wp-content/plugins/shop/vendor/autoload.php") == *grown* ]]
  local name
  for name in wp-content/plugins/shop/vendor/acme/lib.php wp-content/plugins/shop/logs/shop.txt \
    wp-content/themes/rocket/node_modules/left-pad/index.js .git/HEAD wp-content/cache/page/shop.html; do
    cmp "$SAVED/$name" "$WORLD_ROOT/$name"
  done
  [[ -d $WORLD_ROOT/wp-content/cache/empty && -d $WORLD_ROOT/.git/refs ]]
  dumped_tables | diff "$MADE/dumped.0" -
  world manifest "$PLACE" tables wp_terms wp_links | diff "$FOLDER/terms.before" -
  # Neither tables the dump cannot know about go, nor routines and events, which it never has.
  names_of_tables | grep -qx wp_backdoor
  [[ $(world sql "$PLACE" "SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = '$WORLD_SCHEMA'") == 2 ]]
  [[ $(world sql "$PLACE" "SELECT COUNT(*) FROM information_schema.events WHERE event_schema = '$WORLD_SCHEMA'") == 1 ]]
  [[ $(world fetch "$PLACE" rv-probe.php) == 'RV files=backup db=backup'* ]]
}

@test "smart: log files and the folders tmp, temp and .cache are left out by its writer too, and kept" {
  printf 'grown\n' >>"$WORLD_ROOT/wp-content/debug.log"
  restored "$(from smart)"
  [[ $(tail -n 1 "$WORLD_ROOT/wp-content/debug.log") == grown ]]
  cmp "$SAVED/wp-content/uploads/tmp/upload.part" "$WORLD_ROOT/wp-content/uploads/tmp/upload.part"
}

@test "smart: rolled back, everything is as before, kept parts too" {
  restored "$(from smart)"
  rolled_back
  is_unchanged
  rolled_back
  diff <(without_left_out <"$MADE/smart.files") <(world manifest "$PLACE" files | without_left_out)
}

@test "smart, exact: a replica of the archive and the dump, nothing else; rolled back, all is there again" {
  restored "$(from smart),\"options\":{\"exact\":true}"
  part_is files "$MADE/smart.files"
  diff <(printf '%s\n' "${DUMPED[@]}" | LC_ALL=C sort) <(names_of_tables | LC_ALL=C sort)
  dumped_tables | diff "$MADE/dumped.0" -
  rolled_back
  is_unchanged
}

@test "smart: the plan says which live tables and folders stay, and which would go in an exact replica" {
  local table
  run -0 rv call restore_start "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"dry_run\":true,$(from smart)}"
  for table in wp_terms wp_links wp_backdoor; do
    [[ $output == *"$table"* ]] || { printf '%s is not named: %s\n' "$table" "$output"; return 1; }
  done
  [[ $output == *wp-content/cache* && $output == *vendor* ]]
  is_unchanged
}

@test "smart: the files may be restored alone, and the database alone" {
  restored "$(from smart),\"components\":{\"files\":true}"
  database_is_unchanged
  world manifest "$PLACE" files >"$FOLDER/files.now"
  restored "$(from smart),\"components\":{\"database\":true}"
  dumped_tables | diff "$MADE/dumped.0" -
  part_is files "$FOLDER/files.now"
}

# --- the dump beside a smart backup -----------------------------------------------------------------------------------

@test "the nearest dump within 15 minutes is taken, and said; another one can be asked for" {
  world touch-up "$PLACE" 6
  local other near=$WORLD_BACKUPS/database_20250101_050007.sql.gz
  other=$(world dump "$PLACE" --stamp 20250101_050600)
  world dump "$PLACE" --stamp 20250101_045959 >/dev/null
  restored "$(from smart)"
  [[ $output == *"${near##*/}"* ]]
  [[ -z $(world sql "$PLACE" "SELECT option_value FROM $WORLD_SCHEMA.wp_options WHERE option_name = 'rv_round'") ]]
  run -0 rv call preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,$(from smart)}"
  [[ $(at data.database.dump) == "${near##*/}" ]]
  restored "$(from smart),\"dump\":\"$other\",\"components\":{\"database\":true}"
  [[ $output == *"${other##*/}"* ]]
  [[ $(world sql "$PLACE" "SELECT option_value FROM $WORLD_SCHEMA.wp_options WHERE option_name = 'rv_round'") == 6 ]]
}

@test "a dump that is too late, too early or another domain's is not this backup's" {
  mv "$WORLD_BACKUPS/database_20250101_050007.sql.gz" "$WORLD_BACKUPS/database_20250101_052000.sql.gz"
  cp "$WORLD_BACKUPS/database_20250101_052000.sql.gz" "$WORLD_BACKUPS/database_20250101_045959.sql.gz"
  restore "$(from smart),\"components\":{\"database\":true}"
  refused backup_incomplete
  mkdir -p "$PLACE/base/backups/neighbour.example"
  cp "$WORLD_BACKUPS/database_20250101_052000.sql.gz" "$PLACE/base/backups/neighbour.example/"
  restore "$(from smart),\"dump\":\"$PLACE/base/backups/neighbour.example/database_20250101_052000.sql.gz\""
  refused path_not_allowed
  restore "$(from smart),\"dump\":\"$WORLD_BACKUPS/database_20250101_999999.sql.gz\""
  refused backup_not_found
  restore "$(from design),\"dump\":\"$WORLD_BACKUPS/database_20250101_052000.sql.gz\""
  refused bad_request
  is_unchanged
}

@test "a dump of nothing, as a failed mysqldump leaves it, is no database" {
  world dump "$PLACE" --failed --stamp 20250101_050007 >/dev/null
  restore "$(from smart),\"components\":{\"database\":true}"
  [[ $status -ne 0 && $(value code) == @(backup_corrupt|backup_incomplete) ]]
  restore "$(from smart)"
  [[ $status -ne 0 && $(value code) == @(backup_corrupt|backup_incomplete) ]]
  is_unchanged
}

@test "a dump that ends in the middle, though its gzip is whole, is not taken for the database" {
  local file=$WORLD_BACKUPS/database_20250101_050007.sql.gz lines
  lines=$(gzip -dc "$file" | grep -n 'INSERT INTO .wp_posts' | tail -n 1 | cut -d : -f 1)
  gzip -dc "$file" | head -n "$lines" | gzip >"$file.cut"
  mv "$file.cut" "$file"
  restore "$(from smart)"
  [[ $status -ne 0 && $(value code) == @(backup_corrupt|backup_incomplete) ]]
  is_unchanged
}

@test "a whole smart dump, which has no line that says so, is not called cut" {
  run -0 rv call preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,$(from smart)}"
  [[ $(at data.warnings) != *'may be cut'* ]]
}

# --- chains -----------------------------------------------------------------------------------------------------------

@test "a chain of a full and three incrementals is what tar makes of them one after another" {
  restored "$(from chain.3)"
  diff <(without_left_out <"$MADE/chain.3.files") <(world manifest "$PLACE" files | without_left_out)
  dumped_tables | diff "$MADE/dumped.3" -
  cmp "$SAVED/wp-content/plugins/shop/vendor/acme/lib.php" "$WORLD_ROOT/wp-content/plugins/shop/vendor/acme/lib.php"
  # Twins are one file with two names, also when they come from an incremental.
  [[ $WORLD_ROOT/wp-content/uploads/round-3/twin-1.txt -ef $WORLD_ROOT/wp-content/uploads/round-3/twin-2.txt ]]
  [[ ! $WORLD_ROOT/wp-content/uploads/pair.txt -ef $WORLD_ROOT/wp-content/uploads/pair-too.txt ]]
  # What was deleted between the backups comes back; the preview says so.
  [[ -e "$WORLD_ROOT/wp-content/uploads/round-1/ leading" ]]
  rolled_back
  is_unchanged
}

@test "a chain ends at the chosen incremental, not at the last" {
  local n
  for n in 1 2; do
    restored "$(from chain.$n)"
    diff <(without_left_out <"$MADE/chain.$n.files") <(world manifest "$PLACE" files | without_left_out)
    dumped_tables | diff "$MADE/dumped.$n" -
  done
}

@test "a chain, exact: a replica of what tar makes of it" {
  restored "$(from chain.3),\"options\":{\"exact\":true}"
  part_is files "$MADE/chain.3.files"
}

@test "preview of a chain shows the merged state and says that deletions are not recorded" {
  run -0 rv call preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,$(from chain.3)}"
  [[ $(at data.files.count) == "$(grep -ac '^file' "$MADE/chain.3.files")" ]]
  [[ $(at data.warnings) == *eletion* ]]
  [[ $(at data.backup.base) == "$(<"$MADE/smart")" ]]
}

@test "a gap in the chain: an incremental whose .meta is there and whose archive is gone" {
  local gone
  gone=$(<"$MADE/chain.2")
  rm "$gone"
  broken_chain chain.3 "${gone##*/}"
  # What lies before the gap does not need it.
  restored "$(from chain.1)"
}

@test "a loop in the chain" {
  local two three
  two=$(<"$MADE/chain.2") three=$(<"$MADE/chain.3")
  sed -i "s|\"base_backup\": .*|\"base_backup\": \"$three\"|" "$two.meta"
  sed -i "s|\"base_backup\": .*|\"base_backup\": \"$two\"|" "$three.meta"
  broken_chain chain.3 _incremental
  sed -i "s|\"base_backup\": .*|\"base_backup\": \"$three\"|" "$three.meta"
  broken_chain chain.3 "${three##*/}"
}

@test "a base that is gone" {
  local full
  full=$(<"$MADE/smart")
  rm "$full" "$full.meta"
  broken_chain chain.3 "${full##*/}"
  broken_chain chain.1 "${full##*/}"
}

@test "a base of another domain, though it exists" {
  local foreign=$PLACE/base/backups/neighbour.example
  mkdir -p "$foreign"
  cp "$(<"$MADE/smart")" "$foreign/backup_20250101_050000.tar.gz"
  sed -i "s|\"base_backup\": .*|\"base_backup\": \"$foreign/backup_20250101_050000.tar.gz\"|" "$(<"$MADE/chain.1").meta"
  broken_chain chain.1 neighbour.example
}

@test "a base that is newer than what builds on it" {
  local newer
  newer=$(world backup "$PLACE" --layout smart --stamp 20250601_000000)
  sed -i "s|\"base_backup\": .*|\"base_backup\": \"$newer\"|" "$(<"$MADE/chain.1").meta"
  broken_chain chain.1 "${newer##*/}"
}

@test "a damaged file anywhere in the chain is named, and nothing is changed" {
  local name file
  for name in smart chain.2; do
    file=$(<"$MADE/$name")
    cp "$file" "$FOLDER/whole"
    truncate -s $(($(stat -c %s "$file") * 2 / 3)) "$file"
    restore "$(from chain.3)"
    [[ $status -ne 0 && $(value code) == @(backup_corrupt|backup_chain_broken) && $(value message) == *"${file##*/}"* ]]
    cp "$FOLDER/whole" "$file"
    is_unchanged
  done
}

@test "an incremental without a .meta belongs to the full backup before it" {
  # smart_backup.sh leaves the archive and writes no .meta when a name has a newline in it.
  rm "$(<"$MADE/chain.2").meta"
  restored "$(from chain.3)"
  diff <(without_left_out <"$MADE/chain.3.files") <(world manifest "$PLACE" files | without_left_out)
}

@test "another full backup between does not mix two chains" {
  world touch-up "$PLACE" 8
  world backup "$PLACE" --layout smart --stamp 20250103_120000 >/dev/null
  # The last incremental still names the first full backup.
  restored "$(from chain.3)"
  diff <(without_left_out <"$MADE/chain.3.files") <(world manifest "$PLACE" files | without_left_out)
}

@test "the whole backup folder may have moved: the base is found by its name" {
  sed -i "s|\"base_backup\": \"$PLACE/base|\"base_backup\": \"/elsewhere/rocketvps|" "$WORLD_BACKUPS"/*_incremental.tar.gz.meta
  restored "$(from chain.3)"
  diff <(without_left_out <"$MADE/chain.3.files") <(world manifest "$PLACE" files | without_left_out)
}

@test "a part of a chain: one file whose last state is in the middle, one folder that became a file" {
  restored "$(from chain.3),\"components\":{\"files\":[\"wp-content/uploads/round-2/film.mp4\",\"wp-content/uploads/shape-a\"]}"
  [[ $(stat -c %s "$WORLD_ROOT/wp-content/uploads/round-2/film.mp4") == 200000 ]]
  [[ $(<"$WORLD_ROOT/wp-content/uploads/shape-a") == 'a file 3' ]]
  [[ ! -e $WORLD_ROOT/wp-content/uploads/round-3 ]]
  rolled_back
  is_unchanged
}

# --- what is said of an archive, and what is in it --------------------------------------------------------------------

@test "an honest .meta of any form, or none, raises no warning" {
  local form file
  for form in json lines short-name none; do
    file=$(world backup "$PLACE" --layout smart --meta $form --stamp 20250401_000000)
    run -0 rv call preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"backup\":\"$file\"}"
    [[ $(at data.warnings) != *'.meta'* ]] || { printf '%s: %s\n' "$form" "$(at data.warnings)"; return 1; }
    rm -f "$file" "$file.meta" "${file%.tar.gz}.meta"
  done
  run -0 rv call preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,$(from chain.1)}"
  [[ $(at data.warnings) != *'.meta'* ]] || { at data.warnings; return 1; }
}

@test "a .meta that lies: the archive is the truth, and the lies are said" {
  world reset "$PLACE"
  local file
  file=$(world backup "$PLACE" --layout smart --meta lying --stamp 20250402_000000)
  run -0 rv call preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"backup\":\"$file\"}"
  [[ $(at data.warnings) == *somebody.else* && $(at data.warnings) == *' 1 files'* ]]
  [[ $(at data.backup.kind) == full && $(at data.files.count) -gt 900 ]]
  world damage "$PLACE"
  restored "\"backup\":\"$file\""
  diff <(without_left_out <"$MADE/smart.files") <(world manifest "$PLACE" files | without_left_out)
}

@test "an incremental whose .meta lies about its base is refused, and the path it names is not opened" {
  local file
  world touch-up "$PLACE" 9
  file=$(world backup "$PLACE" --layout smart --incremental --meta lying --stamp 20250403_000000)
  printf '%s\n' "$file" >"$MADE/lying"
  remember
  broken_chain lying shadow
  [[ $output != *root:* ]]
}

@test "a .meta that is a link, a FIFO, a folder or a gigabyte is not waited for and not believed" {
  local file=$FOLDER/backups/x meta
  file=$(<"$MADE/smart") meta=$(<"$MADE/smart").meta
  for form in link fifo folder huge; do
    rm -rf "$meta"
    case $form in
      link) ln -s /etc/passwd "$meta" ;;
      fifo) mkfifo "$meta" ;;
      folder) mkdir "$meta" ;;
      huge) truncate -s 1G "$meta" ;;
    esac
    run -0 timeout 20 "$PREFIX/bin/rocketvps-restore" list_backups "{\"domain\":\"$WORLD_DOMAIN\"}"
    [[ $output == *"$file"* && $output != *root:* ]]
    run -0 timeout 60 "$PREFIX/bin/rocketvps-restore" preview_backup "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"backup\":\"$file\"}"
    [[ $output != *root:* ]]
  done
  rm -rf "$meta"
}

@test "two dumps in one archive: refused by both names, and the files alone can be had" {
  rm -rf "$FOLDER/x"
  mkdir -p "$FOLDER/x/database"
  tar -xzf "$(<"$MADE/design")" -C "$FOLDER/x"
  cp "$FOLDER/x/database.sql" "$FOLDER/x/database/older.sql"
  tar -C "$FOLDER/x" -czf "$WORLD_BACKUPS/backup_20250501_000000.tar.gz" ./config ./database ./database.sql ./www
  restore "\"backup\":\"$WORLD_BACKUPS/backup_20250501_000000.tar.gz\""
  refused backup_corrupt
  [[ $output == *database.sql* && $output == *older.sql* ]]
  is_unchanged
  restored "\"backup\":\"$WORLD_BACKUPS/backup_20250501_000000.tar.gz\",\"components\":{\"files\":true}"
  part_is files "$MADE/design.files"
}

@test "a layout nobody knows is refused by what was found, in every call" {
  local call
  rm -rf "$FOLDER/x"
  mkdir -p "$FOLDER/x/holiday" "$FOLDER/x/taxes 2024"
  printf 'x\n' | tee "$FOLDER/x/holiday/a.jpg" "$FOLDER/x/taxes 2024/b.pdf" >/dev/null
  tar -C "$FOLDER/x" -czf "$WORLD_BACKUPS/backup_20250502_000000.tar.gz" .
  for call in preview_backup validate restore_start; do
    run rv call "$call" "{\"domain\":\"$WORLD_DOMAIN\",\"wait\":true,\"backup\":\"$WORLD_BACKUPS/backup_20250502_000000.tar.gz\"}"
    # A validation is an answer of its own, with the check that failed.
    if [[ $call == validate ]]; then [[ $(at data.outcome) == fail ]]; else refused backup_layout_unknown; fi
    [[ $output == *holiday* && $output == *'taxes 2024'* ]]
  done
  is_unchanged
}

@test "an archive without any entry is a backup of nothing" {
  tar -czf "$WORLD_BACKUPS/backup_20250503_000000.tar.gz" -T /dev/null
  restore "\"backup\":\"$WORLD_BACKUPS/backup_20250503_000000.tar.gz\""
  [[ $status -ne 0 && $(value code) == @(backup_layout_unknown|backup_incomplete|backup_corrupt) ]]
  is_unchanged
}

@test "a smart backup of another domain in this domain's folder is not this site" {
  rm -rf "$FOLDER/x"
  mkdir -p "$FOLDER/x/var/www/other.example"
  printf 'x\n' >"$FOLDER/x/var/www/other.example/index.php"
  tar -C "$FOLDER/x" -czf "$WORLD_BACKUPS/backup_20250504_000000.tar.gz" var/www/other.example
  restore "\"backup\":\"$WORLD_BACKUPS/backup_20250504_000000.tar.gz\""
  refused backup_layout_unknown
  [[ $output == *other.example* ]]
  is_unchanged
}
