#!/usr/bin/env bash
# The figures, measured against their peers in the same run: whole processes, in turn, sync included, each on a copy of
# one freshly made ext4 image on loop (deleting before creating makes ext4 slow and figures worthless), the database's
# folder on it too, caches dropped and the input read before each run. Prints a table and writes bench/results.md.
#   scripts/bench.sh [restore] [preview] [diff] [parts] [chain] [probe] [calls] [broker] [watchers] [rehearsal] [foreign] [memory] [rows]
#                    [damaged] [tables] [seek]
#                                                   the named figures; none: all; `site` only makes the site
# BENCH_PAIRS=5  BENCH_ROWS_PAIRS=5 (the peer of `rows` takes minutes)  BENCH_WORK=bench/work  BENCH_PROGRAM=target/release/rocketvps-restore  BENCH_KEEP=1 keeps the images, whose paths are those of BENCH_MOUNT=/mnt/rocketvps-bench
# BENCH_SYNC_MS=5  a disk that is slow to sync: each call of fsync, fdatasync, syncfs and sync, of whatever program, takes so much longer
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ${BENCH_SYNC_MS:-0} -gt 0 && -z ${BENCH_DELAYED:-} ]]; then
  calls=fsync,fdatasync,syncfs,sync
  BENCH_DELAYED=1 exec strace -f --seccomp-bpf --quiet=all -o /dev/null -e trace=$calls -e inject=$calls:delay_exit="${BENCH_SYNC_MS}ms" \
    bash scripts/bench.sh "$@"
fi
pairs=${BENCH_PAIRS:-5}
rows_pairs=${BENCH_ROWS_PAIRS:-$pairs}
work=$(mkdir -p "${BENCH_WORK:-bench/work}" && cd "${BENCH_WORK:-bench/work}" && pwd)
program=$(realpath "${BENCH_PROGRAM:-${CARGO_TARGET_DIR:-target}/release/rocketvps-restore}")
world=$PWD/tests/harness/world.sh
# Not below the checkout: the smart backups leave out folders named tmp, cache and the like, wherever they are.
mount=${BENCH_MOUNT:-/mnt/rocketvps-bench}
place=$mount/w
domain=shop.example
figures=("$@")
((${#figures[@]})) || figures=(restore preview diff parts chain probe calls broker watchers rehearsal foreign memory rows damaged tables seek)
rows=()
details=()
sync_us=

mkdir -p "$mount"

say() { # MESSAGE
  printf '%s %s\n' "$(date +%H:%M:%S)" "$1" >&2
}

now() { # in milliseconds
  local time=$EPOCHREALTIME
  printf '%d\n' "$((${time%.*} * 1000 + 10#${time#*.} / 1000))"
}

median() { # NUMBER...
  printf '%s\n' "$@" | sort -n | awk '{ value[NR] = $1 } END { print NR % 2 ? value[(NR + 1) / 2] : (value[NR / 2] + value[NR / 2 + 1]) / 2 }'
}

ratio() { # A B
  awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'
}

seconds() { # MILLISECONDS
  awk -v a="$1" 'BEGIN { printf "%.2f s", a / 1000 }'
}

# Whether a figure holds: `yes` or `no`.
holds() { # FIGURE LIMIT
  awk -v a="$1" -v b="$2" 'BEGIN { print (a <= b) ? "yes" : "**no**" }'
}

row() { # WHAT AGAINST MEASURED TARGET HOLDS
  rows+=("| $1 | $2 | $3 | $4 | $5 |")
}

# The row of two lists of milliseconds: their medians, and the quotient that must not be over the limit.
versus() { # WHAT TIMES PEER TIMES LIMIT
  local -n ours=$2 theirs=$4
  local our_median their_median quotient
  our_median=$(median "${ours[@]}") their_median=$(median "${theirs[@]}")
  quotient=$(ratio "$our_median" "$their_median")
  row "$1: $(seconds "$our_median")" "$3: $(seconds "$their_median")" "$quotient" "≤ $5" "$(holds "$quotient" "$5")"
}

leave() {
  [[ ! -f $place/env ]] || "$world" stop "$place" >/dev/null 2>&1 || true
  if mountpoint -q "$mount"; then umount "$mount" || umount -l "$mount"; fi
  rm -f "$work/run.img"
}
finish() {
  leave
  [[ -n ${BENCH_KEEP:-} ]] || rm -rf "$work"
  rmdir "$mount" 2>/dev/null || true
}
trap finish EXIT

# --- the site, once -------------------------------------------------------------------------------------------------

# A backup of the same dump, one row per INSERT, with next to no files: loading is what is measured.
make_single_row_backup() {
  local stage=$mount/stage
  mkdir -p "$stage/www" "$stage/config"
  printf 'only the database is of interest\n' >"$stage/www/index.php"
  cp "$place/nginx/sites-available/$domain" "$stage/config/nginx.conf"
  mariadb-dump --no-defaults --socket="$place/run/db.sock" --user=root --single-transaction --quick --routines --triggers \
    --events --skip-extended-insert shop >"$stage/database.sql"
  tar -cf - -C "$stage" ./config ./database.sql ./www | pigz >"$place/base/backups/$domain/backup_20250101_000000.tar.gz"
  mv "$stage/database.sql" "$mount/single-row.sql"
  rm -rf "$stage"
}

make_site() {
  if [[ -f $work/base.img ]]; then return 0; fi
  say 'making the site (15,000 files, 470 MB; 40,000 posts, 160,000 metas)'
  mkdir -p "$mount"
  truncate -s 16G "$work/base.part"
  mkfs.ext4 -q -N 200000 -E lazy_itable_init=0,lazy_journal_init=0 "$work/base.part"
  mount -o loop "$work/base.part" "$mount"
  "$world" up "$place" --site bench >/dev/null
  # mydumper 0.10 crashes on a table whose name needs quoting.
  # shellcheck disable=SC2016  # no command
  "$world" sql "$place" 'DROP TABLE shop.`we``ird "tbl"`'
  backup=$("$world" backup "$place" --stamp 20250202_020202)
  make_single_row_backup
  mkdir "$mount/split"
  mydumper --socket="$place/run/db.sock" --user=root --database=shop --outputdir="$mount/split" --threads=2 --rows=20000 \
    --triggers --routines --events --verbose=0 2>/dev/null
  {
    printf 'files=%s\n' "$(find "$place/web/$domain" -type f | wc -l)"
    printf 'site_mb=%s\n' "$(($(tar -xzOf "$backup" --wildcards './www/*' | wc -c) / 1000000))"
    printf 'dump_mb=%s\n' "$(($(tar -xzOf "$backup" ./database.sql | wc -c) / 1000000))"
    printf 'backup_mb=%s\n' "$(($(stat -c %s "$backup") / 1000000))"
    printf 'table_rows=%s\n' "$("$world" sql "$place" 'SELECT (SELECT COUNT(*) FROM shop.wp_posts) + (SELECT COUNT(*) FROM shop.wp_postmeta)')"
  } >"$work/facts"
  "$world" stop "$place"
  sync
  umount "$mount"
  mv "$work/base.part" "$work/base.img"
}

# An image beside the first one, whose site something was done to.
make_image() { # NAME FUNCTION
  if [[ -f $work/$1.img ]]; then return 0; fi
  say "making the image $1"
  cp --sparse=always "$work/base.img" "$work/$1.part"
  mount -o loop "$work/$1.part" "$mount"
  "$world" start "$place"
  "$2"
  "$world" stop "$place"
  sync
  umount "$mount"
  mv "$work/$1.part" "$work/$1.img"
}

# Every file has other content than in the backup, and every row of the large tables: nothing can be left where it is. The site's pages
# come: a page that does not is asked for again and again after a rollback.
differ() {
  find "$place/web/$domain" -type f -exec sh -c 'for file; do case $file in *.php) echo ;; *) printf x ;; esac >>"$file"; done' sh {} +
  "$world" sql "$place" "USE shop; UPDATE wp_posts SET post_content=CONCAT(post_content, 'x');
    UPDATE wp_postmeta SET meta_value=CONCAT(meta_value, 'x'); UPDATE wp_options SET autoload=CONCAT(autoload, 'x') WHERE option_id > 50"
}

# What an intruder leaves: one file of a hundred with other content, of the size and the time it had, and a row of a small table.
damage() {
  local file
  while read -r file; do
    touch -r "$file" "$work/time"
    printf 'x' | dd of="$file" bs=1 conv=notrunc status=none
    touch -r "$work/time" "$file"
  done < <(find "$place/web/$domain" -type f -size +0 | sort | awk 'NR % 100 == 50')
  rm -f "$work/time"
  "$world" sql "$place" "UPDATE shop.wp_options SET option_value='Hacked' WHERE option_name='blogname'"
}

# A site of four hundred tables, and its backup; then ten of them are changed.
many_tables() {
  local n statements=
  for ((n = 1; n <= 400; n++)); do
    statements+="CREATE TABLE rv_many_$n (id INT PRIMARY KEY AUTO_INCREMENT, t VARCHAR(99)) ENGINE=InnoDB;
      INSERT INTO rv_many_$n (t) SELECT SHA2(seq, 256) FROM seq_1_to_50;"
  done
  "$world" sql "$place" "USE shop; $statements"
  "$world" backup "$place" --stamp "$tables_stamp" >/dev/null
  for ((n = 1; n <= 10; n++)); do
    "$world" sql "$place" "UPDATE shop.rv_many_$((n * 40)) SET t='x' WHERE id=7"
  done
}

# The site grown by a folder of 30 MB and a table of 10 MB, with a backup of its own; then a smart backup of it and six
# incremental ones, each of some hundred files and some MB: an image beside the first one.
parts_and_chain() {
  local n
  mkdir -p "$place/web/$domain/wp-content/uploads/catalogue"
  for ((n = 0; n < 300; n++)); do
    head -c 100000 /dev/urandom >"$place/web/$domain/wp-content/uploads/catalogue/item-$n.jpg"
  done
  chown -R www-data:www-data "$place/web/$domain/wp-content/uploads/catalogue"
  "$world" sql "$place" "USE shop; CREATE TABLE rv_catalogue (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(60), about TEXT);
    INSERT INTO rv_catalogue (name, about) SELECT CONCAT('item ', seq), REPEAT(SHA2(seq, 512), 4) FROM seq_1_to_18500"
  "$world" backup "$place" --stamp "$parts_stamp" >/dev/null
  "$world" backup "$place" --layout smart --stamp 20250401_030000 >/dev/null
  for ((n = 1; n <= 6; n++)); do
    "$world" touch-up "$place" "$n" --many 300
    "$world" backup "$place" --layout smart --incremental --stamp "2025040$((n + 1))_030000" >/dev/null
  done
  differ
  "$world" sql "$place" "UPDATE shop.rv_catalogue SET about=CONCAT(about, 'x')"
}

# The site grown to a backup of 3 GB: pictures, which do not pack.
heap() {
  local n
  mkdir -p "$place/web/$domain/wp-content/uploads/heap"
  for ((n = 0; n < 27000; n++)); do
    head -c 100000 /dev/urandom >"$place/web/$domain/wp-content/uploads/heap/item-$n.jpg"
  done
  chown -R www-data:www-data "$place/web/$domain/wp-content/uploads/heap"
  "$world" backup "$place" --stamp "$heap_stamp" >/dev/null
  printf 'x' >>"$place/web/$domain/$heap_file"
}

# The same site as other programs save it: a `.tar.zst` and a `.zip` with a dump beside each, and HestiaCP's backup of a user with
# five sites, of which one is ours.
save_as_others() {
  local n stage=$mount/stage out=$mount/foreign web
  mkdir -p "$stage" "$out"
  tar -xzf "$backup" -C "$stage" ./www ./database.sql
  mv "$stage/database.sql" "$out/shop.sql"
  tar -C "$stage/www" -cf - . | zstd -q -T2 -o "$out/site.tar.zst"
  (cd "$stage/www" && zip -qr1 "$out/site.zip" .)
  mkdir -p "$stage/h/hestia" "$stage/h/pam" "$stage/h/db/shop" "$stage/x"
  touch "$stage/h/hestia/user.conf" "$stage/h/pam/passwd"
  zstd -q -T2 "$out/shop.sql" -o "$stage/h/db/shop/shop.mysql.sql.zst"
  mv "$stage/www" "$stage/x/public_html"
  tar -C "$stage/x" -cf - . | zstd -q -T2 -o "$stage/domain_data.tar.zst"
  for ((n = 1; n <= 5; n++)); do
    web=$stage/h/web/site$n.example
    ((n != 3)) || web=$stage/h/web/$domain
    mkdir -p "$web"
    cp "$stage/domain_data.tar.zst" "$web/"
  done
  tar -C "$stage/h" -cf "$out/user.2025-02-02_02-02-02.tar" .
  rm -rf "$stage"
}

foreign_differs() {
  save_as_others
  differ
}

foreign_damaged() {
  save_as_others
  damage
}

# How long a sync of 4 KiB takes on a mounted image, in microseconds: the median of 101.
sync_time() {
  perl -MTime::HiRes=time -MIO::Handle -e 'open my $file, ">", $ARGV[0] or die; my @took;
    for (1 .. 101) { syswrite $file, "x" x 4096; my $began = time; $file->sync; push @took, time - $began }
    printf "%d\n", (sort { $a <=> $b } @took)[50] * 1e6; unlink $ARGV[0]' "$mount/sync"
}

# A copy of an image, mounted, its services running, caches in the same state for everybody.
enter() { # [IMAGE INPUT...]
  cp --sparse=always "$work/${1:-base}.img" "$work/run.img"
  mount -o loop "$work/run.img" "$mount"
  sync_us=${sync_us:-$(sync_time)}
  "$world" start "$place"
  if (($# > 1)); then settle "${@:2}"; else settle "$backup" "$mount/single-row.sql" "$mount"/split/*; fi
}

# Caches empty but for the input.
settle() { # INPUT...
  sync
  echo 3 >/proc/sys/vm/drop_caches
  cat "$@" >/dev/null
  sleep 0.5
}

client() { # SCHEMA
  mariadb --no-defaults --socket="$place/run/db.sock" --user=root --default-character-set=utf8mb4 "$1"
}

call() { # NAME REQUEST
  "$program" --config "$place/restore.toml" call "$1" "$2"
}

# Restores and fails where the restore failed: a figure of a failed restore is none.
engine() { # BACKUP [COMPONENTS]
  local answer
  answer=$(call restore_start "{\"domain\":\"$domain\",\"backup\":\"$1\",\"wait\":true${2:+,\"components\":$2}}") || {
    printf 'bench: the restore failed: %s\n' "$answer" >&2
    return 1
  }
  sync
}

peer_tar() {
  mkdir "$mount/out"
  tar -xzf "$backup" -C "$mount/out"
  client peer <"$mount/out/database.sql"
  sync
}

peer_igzip() {
  local load
  mkdir "$mount/out"
  myloader --socket="$place/run/db.sock" --user=root --database=peer --directory="$mount/split" --threads=2 --overwrite-tables \
    --verbose=0 &
  load=$!
  igzip -dc "$backup" | tar -xf - -C "$mount/out"
  wait "$load"
  sync
}

peer_rows() {
  client peer <"$mount/single-row.sql"
  sync
}

engine_restore() {
  engine "$backup"
}

# A backup of another program; fails where the restore failed.
import() { # OPTION...
  "$program" --config "$place/restore.toml" restore "$domain" --yes "$@" >"$work/answer" || {
    printf 'bench: the restore failed: %s\n' "$(tail -n 20 "$work/answer")" >&2
    return 1
  }
  sync
}

engine_zst() {
  import --from "$mount/foreign/site.tar.zst" --dump "$mount/foreign/shop.sql"
}

engine_zip() {
  import --from "$mount/foreign/site.zip" --dump "$mount/foreign/shop.sql"
}

engine_hestia() {
  import --from "$mount/foreign/user.2025-02-02_02-02-02.tar" --site "$domain"
}

peer_zst() {
  local load
  mkdir "$mount/out"
  client peer <"$mount/foreign/shop.sql" &
  load=$!
  zstd -dcq "$mount/foreign/site.tar.zst" | tar -xf - -C "$mount/out"
  wait "$load"
  sync
}

peer_zip() {
  mkdir "$mount/out"
  unzip -q "$mount/foreign/site.zip" -d "$mount/out"
  client peer <"$mount/foreign/shop.sql"
  sync
}

# As the panel's own restore does it: everything out of the outer archive, then the site's and its dump.
peer_hestia() {
  mkdir "$mount/out" "$mount/out/site"
  tar -xf "$mount/foreign/user.2025-02-02_02-02-02.tar" -C "$mount/out"
  zstd -dq "$mount/out/web/$domain/domain_data.tar.zst" -o "$mount/out/domain_data.tar"
  tar -xf "$mount/out/domain_data.tar" -C "$mount/out/site"
  zstd -dcq "$mount/out/db/shop/shop.mysql.sql.zst" | client peer
  sync
}

engine_unrehearsed() {
  call restore_start "{\"domain\":\"$domain\",\"backup\":\"$backup\",\"wait\":true,\"options\":{\"rehearsal\":false}}" >/dev/null
  sync
}

engine_rows() {
  engine "$place/base/backups/$domain/backup_20250101_000000.tar.gz" '{"database":true}'
}

measure() { # FUNCTION [IMAGE INPUT...]: on a fresh copy of the site; leaves the milliseconds in $took
  enter "${@:2}"
  "$world" sql "$place" 'CREATE DATABASE peer CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci'
  clock "$1"
}

clock() { # COMMAND...: leaves the milliseconds in $took
  local began
  began=$(now)
  "$@"
  took=$(($(now) - began))
  say "$1: $took ms"
}

# A peer and the engine in turn, each on a fresh copy of the image; leaves the milliseconds in $peer and $own.
compete() { # TIMES PEER ENGINE [IMAGE INPUT...]
  local n
  peer=() own=()
  for ((n = 0; n < $1; n++)); do
    measure "$2" "${@:4}"; peer+=("$took"); leave
    measure "$3" "${@:4}"; own+=("$took"); leave
  done
}

last_job() {
  call list_jobs "{\"domain\":\"$domain\"}" | grep -oE '"job":"[^"]+"' | head -n 1 | cut -d '"' -f 4
}

# When the last step of a job's change-over was done, in milliseconds since 1970.
changed_over() { # JOB
  local time
  time=$(grep -E '\(at [0-9.]+ ms\)' "$place/base/restore_jobs/$1/events.jsonl" | tail -n 1 | sed -E 's/.*"time":"([^"]+)".*/\1/')
  date -d "$time" +%s%3N
}

# --- figures --------------------------------------------------------------------------------------------------------

figure_restore() {
  local tar=() igzip=() own=() back=() whole=() began job n
  make_image differs differ
  for ((n = 0; n < pairs; n++)); do
    measure peer_tar; tar+=("$took"); leave
    measure engine_restore differs; own+=("$took")
    job=$(last_job)
    began=$(now)
    call rollback "{\"domain\":\"$domain\",\"job\":\"$job\",\"wait\":true}" >/dev/null
    whole+=("$(($(now) - began))")
    back+=("$(($(changed_over "$(last_job)") - began))")
    say "rollback: the old state is back after ${back[-1]} ms, checked after ${whole[-1]} ms"
    leave
    measure peer_igzip; igzip+=("$took"); leave
  done
  local own_median tar_median igzip_median
  own_median=$(median "${own[@]}") tar_median=$(median "${tar[@]}") igzip_median=$(median "${igzip[@]}")
  row "whole restore, everything differs: $(seconds "$own_median")" "\`tar xzf\`, \`mariadb <\`, sync: $(seconds "$tar_median")" \
    "$(ratio "$own_median" "$tar_median")" '≤ 0.55' "$(holds "$(ratio "$own_median" "$tar_median")" 0.55)"
  row "same" "\`igzip \\| tar x\` beside \`myloader -t 2\`, sync: $(seconds "$igzip_median")" \
    "$(ratio "$own_median" "$igzip_median")" '≤ 1.1' "$(holds "$(ratio "$own_median" "$igzip_median")" 1.1)"
  row "rollback of that restore, until the old state is back (with its live verification: $(median "${whole[@]}") ms)" '–' \
    "$(median "${back[@]}") ms" '≤ 300 ms' "$(holds "$(median "${back[@]}")" 300)"
  details+=("whole restore, ms: ${own[*]}; tar and mariadb: ${tar[*]}; igzip and myloader: ${igzip[*]}; rollback: ${back[*]}; with its verification: ${whole[*]}")
}

# What it costs that the staged site is asked for its pages, and that it was: a rehearsal that was not done costs nothing.
figure_rehearsal() {
  local with=() without=() spent=() answer=() n
  make_image differs differ
  for ((n = 0; n < pairs; n++)); do
    measure engine_restore differs; with+=("$took")
    mapfile -t answer < <("$program" --config "$place/restore.toml" wait "$(last_job)" --field rehearsal.outcome,rehearsal.millis,rehearsal.message)
    [[ ${answer[0]} == pass ]] || {
      printf 'bench: the site was not rehearsed: %s\n' "${answer[2]}" >&2
      return 1
    }
    spent+=("${answer[1]}")
    leave
    measure engine_unrehearsed differs; without+=("$took"); leave
  done
  versus 'whole restore with a rehearsal' with 'without' without 1.05
  row 'the rehearsal alone, beside the comparison' '–' "$(median "${spent[@]}") ms" '≤ 600 ms' "$(holds "$(median "${spent[@]}")" 600)"
  details+=("with a rehearsal, ms: ${with[*]}; without: ${without[*]}; the rehearsal alone: ${spent[*]}")
}

figure_foreign() {
  local kind limit inputs against peer own image state
  make_image foreign_differs foreign_differs
  make_image foreign_damaged foreign_damaged
  while IFS=$'\t' read -r kind limit inputs against; do
    # Their names are words; there is nothing to see before the image is mounted.
    read -ra inputs <<<"$inputs"
    for image in foreign_differs foreign_damaged; do
      state='everything differs'
      [[ $image == foreign_differs ]] || state='1 % of the files and one small table differ'
      compete "$pairs" "peer_$kind" "engine_$kind" "$image" "${inputs[@]/#/$mount/foreign/}"
      versus "restore from ${kind/zst/.tar.zst}, $state" own "$against" peer "$limit"
      details+=("from $kind, $state, ms: ${own[*]}; by hand: ${peer[*]}")
    done
  done <<'KINDS'
zst	0.55	site.tar.zst shop.sql	`zstd -dc \| tar x` beside `mariadb <`, sync
zip	0.5	site.zip shop.sql	`unzip`, `mariadb <`, sync
hestia	0.25	user.2025-02-02_02-02-02.tar	`tar x`, `zstd -d`, `tar x`, `mariadb <`, sync
KINDS
}

figure_rows() {
  local peer own
  make_image differs differ
  compete "$rows_pairs" peer_rows engine_rows differs
  versus 'dump with one row per INSERT' own "\`mariadb <\`, sync" peer 0.10
  details+=("one row per INSERT, ms: ${own[*]}; mariadb: ${peer[*]}")
}

# A site of which little is damaged: the restore that is needed at night.
figure_damaged() {
  local peer own
  make_image damaged damage
  compete "$pairs" peer_tar engine_restore damaged
  versus 'whole restore, 1 % of the files and one small table differ' own "\`tar xzf\`, \`mariadb <\`, sync" peer 0.20
  details+=("1 % damaged, ms: ${own[*]}; tar and mariadb: ${peer[*]}")
}

# How long queries of the site wait where ten of four hundred tables differ.
figure_tables() {
  local window=() n
  make_image tables many_tables
  for ((n = 0; n < pairs; n++)); do
    enter tables "$place/base/backups/$domain/backup_$tables_stamp.tar.gz"
    engine "$place/base/backups/$domain/backup_$tables_stamp.tar.gz" '{"database":true}'
    window+=("$("$program" --config "$place/restore.toml" wait "$(last_job)" --field commit_ms)")
    say "change-over: ${window[-1]} ms"
    leave
  done
  row 'change-over of 400 tables of which 10 differ' '–' "$(median "${window[@]}") ms" '≤ 100 ms' "$(holds "$(median "${window[@]}")" 100)"
  details+=("change-over of 10 of 400 tables, ms: ${window[*]}")
}

# What the engine has found out about backups is forgotten.
forget_backups() {
  rm -rf "$place/base/restore_index"
  find "$place/base" -name .backup_index.json -delete
}

peer_list() {
  gzip -dc "$backup" | tar -tf - >/dev/null
}

engine_preview() {
  call preview_backup "{\"domain\":\"$domain\",\"backup\":\"$backup\",\"wait\":true}" >"$work/answer"
}

figure_preview() {
  local peer=() first=() again=() n k
  enter
  for ((n = 0; n < pairs; n++)); do
    settle "$backup"
    clock peer_list; peer+=("$took")
    forget_backups
    settle "$backup"
    clock engine_preview; first+=("$took")
  done
  # The start of the helper is part of it.
  for ((k = 0; k < 30; k++)); do
    local began=${EPOCHREALTIME/./}
    engine_preview
    again+=("$(awk -v t=$((${EPOCHREALTIME/./} - began)) 'BEGIN { printf "%.2f", t / 1000 }')")
  done
  leave
  versus 'first preview' first "\`gzip -dc \\| tar t\`" peer 0.6
  row 'second preview, start of the helper included' '–' "$(median "${again[@]}") ms" '≤ 30 ms' "$(holds "$(median "${again[@]}")" 30)"
  details+=("first preview, ms: ${first[*]}; gzip and tar: ${peer[*]}; second preview: ${again[*]}")
}

peer_rsync() {
  rsync -ani --delete "$mount/out/www/" "$place/web/$domain/" >"$work/answer"
}

engine_diff() {
  call diff_backup "{\"domain\":\"$domain\",\"backup\":\"$backup\",\"wait\":true}" >"$work/answer" || {
    printf 'bench: the comparison failed: %s\n' "$(<"$work/answer")" >&2
    return 1
  }
}

# The live site has lived on: a round of changes, some hundred files more, a folder less.
figure_diff() {
  local peer=() with=() without=() n
  for ((n = 0; n < pairs; n++)); do
    enter
    "$world" touch-up "$place" 1 --many 300
    rm -rf "$place/web/$domain/wp-content/plugins/suite-4/wp-admin/css"
    mkdir "$mount/out"
    tar -xzf "$backup" -C "$mount/out" ./www
    settle "$backup"
    clock peer_rsync; peer+=("$took")
    settle "$backup"
    clock engine_diff; without+=("$took")
    engine_preview
    settle "$backup"
    clock engine_diff; with+=("$took")
    leave
  done
  versus 'what a restore would change, files, tables and configuration, after a preview' with \
    "\`rsync -an --delete\` of the extracted files" peer 2
  row "same, without a preview before it: $(seconds "$(median "${without[@]}")")" "same" \
    "$(ratio "$(median "${without[@]}")" "$(median "${peer[@]}")")" '–' '–'
  details+=("diff after a preview, ms: ${with[*]}; without: ${without[*]}; rsync: ${peer[*]}")
}

engine_whole() {
  engine "$parts_backup"
}

engine_parts() {
  engine "$parts_backup" '{"files":["wp-content/uploads/catalogue/"],"database":["rv_catalogue"]}'
}

figure_parts() {
  local whole=() part=() n
  make_image parts parts_and_chain
  for ((n = 0; n < pairs; n++)); do
    enter parts "$parts_backup"; clock engine_whole; whole+=("$took"); leave
    enter parts "$parts_backup"; clock engine_parts; part+=("$took"); leave
  done
  versus 'a folder of 30 MB and a table of 10 MB' part 'the whole of the same backup' whole 0.4
  details+=("a folder and a table, ms: ${part[*]}; the whole backup: ${whole[*]}")
}

# As after a look at the backup, which leaves an index; caches as for everybody.
enter_known() { # IMAGE BACKUP
  enter "$1" "$2"
  call preview_backup "{\"domain\":\"$domain\",\"backup\":\"$2\",\"wait\":true}" >/dev/null
  settle "$2"
}

engine_heap() {
  engine "$heap_backup" "{\"files\":[\"$heap_file\"]}"
}

peer_heap() {
  mkdir "$mount/out"
  tar -xzf "$heap_backup" -C "$mount/out" "./www/$heap_file"
  sync
}

# What is kept of a backup after a look at it, in tenths of a thousandth of the backup.
index_share() { # BACKUP
  local size=0 file
  for file in "$place/base/restore_index/$domain"/*.*; do size=$((size + $(stat -c %s "$file"))); done
  printf '%s' "$((size * 10000 / $(stat -c %s "$1")))"
}

figure_seek() {
  local whole=() part=() one=() peer=() n share shares
  make_image parts parts_and_chain
  for ((n = 0; n < pairs; n++)); do
    enter_known parts "$parts_backup"; clock engine_whole; whole+=("$took"); leave
    enter_known parts "$parts_backup"; shares=$(index_share "$parts_backup"); clock engine_parts; part+=("$took"); leave
  done
  versus 'a folder of 30 MB and a table of 10 MB, after a preview' part 'the whole of the same backup' whole 0.15
  make_image heap heap
  for ((n = 0; n < pairs; n++)); do
    enter_known heap "$heap_backup"; share=$(index_share "$heap_backup"); clock engine_heap; one+=("$took"); leave
    enter heap "$heap_backup"; clock peer_heap; peer+=("$took"); leave
  done
  versus 'a file of 100 KB of a backup of 3 GB, after a preview' one "\`tar xzf … that file\`" peer 0.03
  row 'what a preview keeps, in parts of the backup' '–' "$(ratio "$share" 10000) of 3 GB, $(ratio "$shares" 10000) of 350 MB" '≤ 0.01' \
    "$(holds "$(ratio "$shares" 10000)" 0.01)"
  details+=("after a preview, ms: a folder and a table ${part[*]}, the whole ${whole[*]}; a file ${one[*]}, tar ${peer[*]}")
}

engine_smart() {
  engine "$smart_full"
}

engine_chain() {
  engine "$smart_last"
}

enter_chain() {
  enter parts "$smart_full"
  settle "${smart_full%/*}"/*_2025040*
}

figure_chain() {
  local full=() chain=() n
  make_image parts parts_and_chain
  for ((n = 0; n < pairs; n++)); do
    enter_chain; clock engine_smart; full+=("$took"); leave
    enter_chain; clock engine_chain; chain+=("$took"); leave
  done
  versus 'a chain of a full and six incremental backups' chain 'the full one alone' full 1.3
  details+=("chain, ms: ${chain[*]}; the full one alone: ${full[*]}")
}

field() { # JSON KEY
  grep -oE "\"$2\":[0-9.]+" <<<"$1" | head -n 1 | cut -d : -f 2
}

figure_probe() {
  local first second failed wrong mixed slowest
  enter
  "$world" probe "$place" start one
  "$world" probe "$place" start two
  sleep 1
  engine_restore
  sleep 1
  first=$("$world" probe "$place" stop one)
  second=$("$world" probe "$place" stop two)
  leave
  failed=$(($(field "$first" failed) + $(field "$second" failed)))
  wrong=$(($(field "$first" wrong) + $(field "$second" wrong)))
  mixed=$(($(field "$first" mixed) + $(field "$second" mixed)))
  slowest=$(printf '%s\n' "$(field "$first" slowest_ms)" "$(field "$second" slowest_ms)" | sort -n | tail -n 1)
  row 'two probers, a page every 20 ms' '–' "$failed failed, $((wrong + mixed)) wrong, slowest $slowest ms" '0, 0, ≤ 300 ms' \
    "$(holds "$(awk -v s="$slowest" -v b=$((failed + wrong + mixed)) 'BEGIN { print b ? 1e9 : s }')" 300)"
  details+=("probers: ${first//|/ }" "probers: ${second//|/ }")
}

# The peak of the worker's resident memory; VmHWM never falls, so the last look is the peak.
peak_of_worker() { # JOB
  local pid peak=0 seen tries=200
  pid=
  while [[ -z $pid ]] && ((tries-- > 0)); do
    pid=$(pgrep -f "rocketvps-restore worker .*$1" | tail -n 1 || true)
    [[ -n $pid ]] || sleep 0.01
  done
  while [[ -n $pid ]] && seen=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && [[ -n $seen ]]; do
    peak=$seen
    sleep 0.02
  done
  printf '%s\n' "$peak"
}

start_and_watch() { # BACKUP: leaves the peak in $peak, in KiB
  local answer job
  answer=$(call restore_start "{\"domain\":\"$domain\",\"backup\":\"$1\"}")
  job=$(grep -oE '"job":"[^"]+"' <<<"$answer" | cut -d '"' -f 4)
  peak=$(peak_of_worker "$job")
  answer=$("$program" --config "$place/restore.toml" wait "$job" 2>&1) || {
    printf 'bench: the restore failed: %s\n' "$answer" >&2
    return 1
  }
}

figure_memory() {
  local small large big stage=$mount/stage n
  enter
  start_and_watch "$backup"
  small=$peak
  say "worker at 300 MB: $small KiB"
  leave
  enter
  say 'making a backup of 3 GB'
  mkdir -p "$stage/www/media"
  tar -xzf "$backup" -C "$stage" ./database.sql ./config
  printf '<?php echo "RV";\n' >"$stage/www/index.php"
  for ((n = 0; n < 300; n++)); do
    openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv "$(printf '%032x' "$n")" -in /dev/zero 2>/dev/null |
      head -c 10000000 >"$stage/www/media/film-$n.mp4" || true
  done
  big=$place/base/backups/$domain/backup_20250303_030303.tar.gz
  tar -cf - -C "$stage" ./config ./database.sql ./www | pigz -1 >"$big"
  rm -rf "$stage"
  say "backup of $(($(stat -c %s "$big") / 1000000)) MB"
  start_and_watch "$big"
  large=$peak
  say "worker at 3 GB: $large KiB"
  leave
  row 'resident memory of the worker' '–' "$((small / 1024)) MiB at 300 MB, $((large / 1024)) MiB at 3 GB" '≤ 64 MiB' \
    "$(holds "$((small > large ? small : large))" 65536)"
}

# A program over the library, which is installed beside it.
make_caller() { # NAME FLAG...
  prefix=$work/prefix
  make --no-print-directory install DESTDIR= PREFIX="$prefix" MODULES="$prefix/modules" CONFIG="$prefix/config" >/dev/null
  # shellcheck disable=SC2046  # flags are words
  gcc -std=c99 -O2 "${@:2}" -o "$work/$1" "bench/$1.c" $(PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config --cflags --libs rocketvps-restore)
}

figure_calls() {
  local prefix starts=() polls=() answer n
  make_caller latency
  enter
  for ((n = 0; n < pairs; n++)); do
    # The worker of the restore before may hold the domain for a moment after it said "done".
    sleep 1
    answer=$(LD_LIBRARY_PATH=$prefix/lib "$work/latency" "$place/restore.toml" "$domain")
    say "calls: $answer"
    starts+=("$(field "$answer" start_ms)")
    polls+=("$(field "$answer" poll_p99_ms)")
    details+=("calls: $answer")
  done
  leave
  row "\`rv_restore_start\` in the caller" '–' "$(median "${starts[@]}") ms" '≤ 20 ms' "$(holds "$(median "${starts[@]}")" 20)"
  row "\`rv_restore_poll\` in the caller, 99 of 100" '–' "$(median "${polls[@]}") ms" '≤ 2 ms' "$(holds "$(median "${polls[@]}")" 2)"
}

# Fifty who look at a job, with the rights and through the broker.
figure_broker() {
  local prefix own=() through=() answer n socket=$place/run/broker.sock broker job idle quotient config
  make_caller polls -pthread
  enter
  engine_restore
  job=$(call list_jobs "{\"domain\":\"$domain\"}" | grep -oE '"job":"[^"]+"' | head -n 1 | cut -d '"' -f 4)
  mkdir -p "$place/base/config"
  printf '[[rule]]\nuser = "www-data"\ndomains = ["*"]\ncalls = ["restore_poll"]\n' >"$place/base/config/access.toml"
  chmod 0755 "$place" "$place/run"
  "$program" --config "$place/restore.toml" --set "paths.broker=$socket" serve &
  broker=$!
  for ((n = 0; n < 100; n++)); do
    [[ ! -S $socket ]] || break
    sleep 0.05
  done
  sleep 1
  idle=$(awk '/^VmRSS/ { print $2 }' "/proc/$broker/status")
  config="{\"file\":\"$place/restore.toml\",\"set\":{\"paths\":{\"broker\":\"$socket\"}}}"
  chmod 0600 "$place/restore.toml"
  for ((n = 0; n < pairs; n++)); do
    answer=$(LD_LIBRARY_PATH=$prefix/lib "$work/polls" "$config" "$job" 50 4)
    own+=("$(field "$answer" p99_ms)")
    details+=("fifty clients with the rights: $answer")
    answer=$(LD_LIBRARY_PATH=$prefix/lib setpriv --reuid=www-data --regid=www-data --clear-groups "$work/polls" "$config" "$job" 50 4)
    through+=("$(field "$answer" p99_ms)")
    details+=("fifty clients through the broker: $answer")
    say "broker: ${through[-1]} ms, without ${own[-1]} ms"
  done
  kill "$broker"
  wait "$broker" || true
  leave
  quotient=$(awk -v a="$(median "${through[@]}")" -v b="$(median "${own[@]}")" 'BEGIN { printf "%.3f", a - b }')
  row "\`rv_restore_poll\` of 50 clients through the broker, 99 of 100: $(median "${through[@]}") ms" \
    "with the rights: $(median "${own[@]}") ms" "$quotient ms more" '≤ 2 ms' "$(holds "$quotient" 2)"
  row 'resident memory of the broker, idle' '–' "$((idle / 1024)) MiB" '≤ 16 MiB' "$(holds "$idle" 16384)"
}

# A restore, alone and under the eyes of a hundred who have the panel's page open. One world for all pairs: what is compared is
# the same restore of the same site. Who watches works on this machine, too.
figure_watchers() {
  local alone=() watched=() n job watcher begun stage
  stage=$(mktemp -d /tmp/rv-bench-panel.XXXXXX)
  trap 'tests/panel/stage.sh down "$stage/s" || true; rm -rf "$stage"; finish' EXIT
  chmod 0711 "$stage"
  STAGE_PROGRAM=$program STAGE_FILES=80000 tests/panel/stage.sh up "$stage/s" >/dev/null
  # shellcheck source=/dev/null
  source "$stage/s/env"
  place=$stage/s/w
  for ((n = 0; n <= 2 * pairs; n++)); do
    begun=$(now) watcher=
    job=$(call restore_start "{\"domain\":\"$domain\",\"backup\":\"latest\"}" | grep -oE '"job":"[^"]+"' | cut -d '"' -f 4)
    if ((n % 2)); then
      node bench/watchers.mjs "$PANEL_URL" "$job" 100 >"$stage/watchers" &
      watcher=$!
    fi
    "$program" --config "$place/restore.toml" wait "$job" >/dev/null
    took=$(($(now) - begun))
    # Who is not answered watches nothing, and costs nothing.
    [[ -z $watcher ]] || wait "$watcher"
    # The first one fills caches.
    ((n > 0)) || continue
    if ((n % 2)); then watched+=("$took"); else alone+=("$took"); fi
    details+=("restore, $( ((n % 2)) && printf '100 watchers (%s)' "$(<"$stage/watchers")" || printf 'alone'): $took ms")
    "$program" --config "$place/restore.toml" cleanup >/dev/null
  done
  place=$mount/w
  tests/panel/stage.sh down "$stage/s"
  rm -rf "$stage"
  trap finish EXIT
  versus 'a restore that 100 watch in the panel' watched 'nobody watches' alone 1.02
}

figure_site() {
  say "the site is in $work/base.img"
}

report() {
  local files='' site_mb='' dump_mb='' table_rows='' backup_mb=''
  # shellcheck source=/dev/null
  source "$work/facts"
  printf '# Figures\n\n'
  printf 'Made by \140make bench\140 on %s, %d pairs, medians.\n\n' "$(date +%Y-%m-%d)" "$pairs"
  printf '* machine: %s cores (%s), %s MiB of memory, Linux %s, ext4 on a loop image\n' "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)" "$(uname -r)"
  printf '* server: %s; default settings\n' "$(mariadbd --version | sed -E 's/.*Ver ([^ ]+).*/MariaDB \1/')"
  printf '* site: %s files, %s MB; dump %s MB, %s posts and metas; backup %s MB\n' "$files" "$site_mb" "$dump_mb" "$table_rows" "$backup_mb"
  printf '* the image: a sync of 4 KiB takes %s ms (median of 101)\n' "$(awk -v us="$sync_us" 'BEGIN { printf "%.2f", us / 1000 }')"
  printf '* before each run: a copy of one fresh image, caches dropped, the input read once; sync is part of every time\n\n'
  printf '| what | against, in the same run | measured | must reach | reached |\n|---|---|---|---|---|\n'
  printf '%s\n' "${rows[@]}"
  printf '\nEach run:\n\n'
  printf '* %s\n' "${details[@]}"
}

((EUID == 0)) || { printf 'bench: run as root (it mounts images)\n' >&2; exit 1; }
backup=$place/base/backups/$domain/backup_20250202_020202.tar.gz
parts_stamp=20250303_040404
tables_stamp=20250505_050505
heap_stamp=20250606_060606
heap_file=wp-content/uploads/heap/item-13000.jpg
heap_backup=$place/base/backups/$domain/backup_$heap_stamp.tar.gz
parts_backup=$place/base/backups/$domain/backup_$parts_stamp.tar.gz
smart_full=$place/base/backups/$domain/backup_20250401_030000.tar.gz
smart_last=$place/base/backups/$domain/backup_20250407_030000_incremental.tar.gz
make_site
for figure in "${figures[@]}"; do
  "figure_$figure"
  # Written as it grows: an hour of measuring is not lost to its last minute.
  if (($# == 0)); then report >bench/results.md; fi
done
if ((${#rows[@]} == 0)); then exit 0; fi
report
