# What happens to a site between two backups, and what an archive says of it. Sourced by world.sh.
# shellcheck disable=SC2153  # DOMAIN, WORLD and the rest are set by world.sh

# What an intruder and a slip of the hand leave behind. The probe page goes on answering, now from the damaged side.
command_damage() {
  local root=$WORLD/web/$DOMAIN
  rm -rf "$root/wp-admin" "$root/wp-content/uploads/2024" "$root/wp-content/plugins/akismet"
  printf '<h1>0wned</h1>\n' >"$root/index.php"
  printf '<h1>0wned</h1>\n' >"$root/wp-content/themes/rocket/index.php"
  printf '<?php return "damaged";\n' >"$root/wp-content/rv-side.php"
  # shellcheck disable=SC2016  # PHP's variable, not the shell's
  printf '<?php system($_GET["c"]);\n' >"$root/wp-content/uploads/shell.php"
  chmod 0777 "$root/wp-content"
  sql "$SCHEMA" <<SQL
DROP TABLE IF EXISTS wp_postmeta, wp_comments, wp_commentmeta, wp_term_relationships;
DELETE FROM wp_posts WHERE ID > 30;
UPDATE wp_posts SET post_title = '0wned';
UPDATE wp_options SET option_value = 'damaged' WHERE option_name = 'rv_side';
DROP TRIGGER IF EXISTS rv_orders_stock;
SET SESSION sql_mode='';
ALTER TABLE wp_links AUTO_INCREMENT=1;
SET SESSION sql_mode=DEFAULT;
CREATE TABLE IF NOT EXISTS wp_backdoor (id INT PRIMARY KEY, code TEXT);
SQL
  printf 'server { listen 127.0.0.1:%s; server_name %s; root /nowhere; bogus_directive on; }\n' "$WORLD_PORT" "$DOMAIN" \
    >"$WORLD/nginx/sites-available/$DOMAIN"
  rm -f "$WORLD/nginx/sites-enabled/$DOMAIN" "$WORLD/cron/${DOMAIN//./_}"
  sed -i 's/^pm.max_children = .*/pm.max_children = 2/' "$WORLD/php/pool.d/$DOMAIN.conf"
  printf 'not a key\n' >"$WORLD/ssl/$DOMAIN/privkey.pem"
}

# --- back to a saved state, without the engine ------------------------------------------------------------------------

command_save() { # [NAME]
  local place=$WORLD/stage/saved/${1:-good}
  rm -rf "$place"
  mkdir -p "$place"
  cp -a "$WORLD/web/$DOMAIN" "$place/site"
  cp -a "$WORLD/nginx" "$WORLD/php" "$WORLD/ssl" "$WORLD/cron" "$place/"
  dump_tool --routines --triggers --events --default-character-set=utf8mb4 "$SCHEMA" >"$place/database.sql"
}

# Also forgets what jobs left: kept trees, kept schemas, snapshots. Backups and what the engine knows of them stay.
command_reset() { # [NAME]
  local place=$WORLD/stage/saved/${1:-good} schema folder
  [[ -d $place ]] || fail 'reset: nothing was saved'
  rm -rf "$WORLD/web/.rocketvps-restore" "$WORLD/base/snapshots" "$WORLD/base/restore_jobs" "$WORLD/base/restore_logs"
  mkdir "$WORLD/base/snapshots" "$WORLD/base/restore_jobs" "$WORLD/base/restore_logs"
  rm -rf "$WORLD/web/$DOMAIN"
  cp -a "$place/site" "$WORLD/web/$DOMAIN"
  for folder in ssl cron nginx/sites-available nginx/sites-enabled php/pool.d; do
    rm -rf "${WORLD:?}/$folder"
    cp -a "$place/$folder" "$WORLD/$folder"
  done
  for schema in $(sql -e "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'rvs\\_%'") "$SCHEMA"; do
    sql -e "DROP DATABASE \`$schema\`"
  done
  sql -e "CREATE DATABASE $SCHEMA CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
  sql "$SCHEMA" <"$place/database.sql"
}

# Beside what every site holds: what smart backups leave out, and what the rounds of `touch-up` turn over.
make_oddities() {
  local content=$WORLD/web/$DOMAIN/wp-content uploads=$WORLD/web/$DOMAIN/wp-content/uploads
  # Folders that smart backups leave out, with something in them, at several depths; and a log file.
  mkdir -p "$content/cache/page" "$content/plugins/shop/vendor/acme" "$content/plugins/shop/logs" \
    "$content/themes/rocket/node_modules/left-pad" "$uploads/cache" "$uploads/tmp" "$WORLD/web/$DOMAIN/.git/refs"
  printf '<html>cached home</html>\n' >"$content/cache/page/home.html"
  printf '<html>cached shop</html>\n' >"$content/cache/page/shop.html"
  printf '<?php // Plugin Name: Shop\n' >"$content/plugins/shop/shop.php"
  printf '<?php return 1;\n' >"$content/plugins/shop/vendor/autoload.php"
  printf '<?php return "acme";\n' >"$content/plugins/shop/vendor/acme/lib.php"
  printf 'order 17 failed\n' >"$content/plugins/shop/logs/shop.txt"
  printf 'PHP Notice: nothing\n' >"$content/debug.log"
  printf 'module.exports = 1;\n' >"$content/themes/rocket/node_modules/left-pad/index.js"
  printf 'cached thumbnail\n' >"$uploads/cache/thumb.bin"
  printf 'half an upload\n' >"$uploads/tmp/upload.part"
  printf 'ref: refs/heads/main\n' >"$WORLD/web/$DOMAIN/.git/HEAD"
  # Their kind changes with each round.
  mkdir -p "$uploads/shape-a/deep"
  printf 'inner 0\n' >"$uploads/shape-a/inner.txt"
  printf 'deep 0\n' >"$uploads/shape-a/deep/below.txt"
  printf 'a file 0\n' >"$uploads/shape-b"
  ln -s original.txt "$uploads/link-or-file"
  ln -s 2023 "$uploads/link-or-folder"
  # Names that shells, lists and patterns stumble over.
  mkdir -p "$uploads/names/thư mục có dấu" "$uploads/names/[brackets]*"
  printf '1\n' >"$uploads/names/it's \"quoted\".txt"
  printf '2\n' >"$uploads/names/"$'new\nline.txt'
  printf '3\n' >"$uploads/names/Ảnh đẹp số 1.jpg"
  printf '4\n' >"$uploads/names/thư mục có dấu/tệp tin.txt"
  printf '5\n' >"$uploads/names/ leading and trailing "
  printf '6\n' >"$uploads/names/back\\slash.txt"
  printf '7\n' >"$uploads/names/-dash"
  printf '8\n' >"$uploads/names/[brackets]*/?{a,b}.txt"
  printf 'round 0\n' >"$uploads/replaced.txt"
  printf 'round 0\n' >"$uploads/pair.txt"
  ln "$uploads/pair.txt" "$uploads/pair-too.txt"
}

# Bytes that do not compress, the same for the same seed.
noise() { # SEED BYTES
  openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv "$(printf '%032x' "$1")" -in /dev/zero 2>/dev/null |
    head -c "$2" || true
}

# One round of ordinary life. The same N does the same to the same site, but for the times of the files.
command_touch_up() { # N [--many FILES]
  local n=${1:?} many=0 root=$WORLD/web/$DOMAIN uploads=$WORLD/web/$DOMAIN/wp-content/uploads round k
  shift
  while (($#)); do
    case $1 in
      --many) many=${2:?}; shift 2 ;;
      *) fail "touch-up: unknown option $1" ;;
    esac
  done
  round=$uploads/round-$n
  # Changed where it stands, and replaced by another file of its name.
  printf '/* round %s */\n' "$n" >>"$root/wp-content/themes/rocket/style.css"
  printf 'round %s\n' "$n" >"$uploads/replaced.new"
  mv "$uploads/replaced.new" "$uploads/replaced.txt"
  # New, with every name a person may give.
  mkdir -p "$round/nested/folder"
  printf 'round %s\n' "$n" | tee "$round/it's \"quoted\".txt" "$round/"$'new\nline.txt' "$round/Ảnh đẹp.jpg" "$round/ leading" \
    "$round/back\\slash" "$round/nested/folder/plain.txt" "$round/-dash" >/dev/null
  noise "$n" 200000 >"$round/film.mp4"
  # Gone; incremental backups do not know.
  rm -f "$uploads/round-$((n - 1))/ leading"
  # A file becomes a folder, a folder a file, and back.
  rm -rf "$uploads/shape-a" "$uploads/shape-b"
  if ((n % 2)); then
    printf 'a file %s\n' "$n" >"$uploads/shape-a"
    mkdir "$uploads/shape-b"
    printf 'inner %s\n' "$n" >"$uploads/shape-b/inner.txt"
  else
    mkdir "$uploads/shape-a"
    printf 'inner %s\n' "$n" >"$uploads/shape-a/inner.txt"
    printf 'a file %s\n' "$n" >"$uploads/shape-b"
  fi
  # A link becomes a file, another one a folder; they stay what they became.
  rm -f "$uploads/link-or-file"
  printf 'a file since round 1, now %s\n' "$n" >"$uploads/link-or-file"
  if ((n >= 2)); then
    [[ ! -L $uploads/link-or-folder ]] || rm "$uploads/link-or-folder"
    mkdir -p "$uploads/link-or-folder"
    printf 'in a folder that was a link %s\n' "$n" >"$uploads/link-or-folder/inner-$n.txt"
  fi
  # New links of both kinds; an old pair is written to in odd rounds and parted in even ones.
  printf 'twins of round %s\n' "$n" >"$round/twin-1.txt"
  ln "$round/twin-1.txt" "$round/twin-2.txt"
  ln -sfn "round-$n" "$uploads/newest"
  if ((n % 2)); then
    printf 'round %s\n' "$n" >>"$uploads/pair.txt"
  else
    printf 'parted in round %s\n' "$n" >"$uploads/pair.new"
    mv "$uploads/pair.new" "$uploads/pair.txt"
  fi
  # Caches and logs live on.
  mkdir -p "$root/wp-content/cache/page"
  printf '<html>cached home of round %s</html>\n' "$n" >"$root/wp-content/cache/page/home.html"
  printf 'round %s\n' "$n" >>"$root/wp-content/debug.log"
  for ((k = 0; k < many; k++)); do
    ((k % 50)) || mkdir -p "$round/many-$((k / 50))"
    noise $((n * 100000 + k)) 20000 >"$round/many-$((k / 50))/photo-$k.jpg"
  done
  chown -Rh www-data:www-data "$root/wp-content"
  sql "$SCHEMA" <<SQL
INSERT INTO wp_posts (ID, post_author, post_date, post_date_gmt, post_modified, post_modified_gmt, post_title, post_name,
    post_content, post_excerpt, to_ping, pinged, post_content_filtered)
  VALUES (900000 + $n, 1, '2025-01-02 03:04:05', '2025-01-02 03:04:05', '2025-01-02 03:04:05', '2025-01-02 03:04:05',
    'Vòng $n: it''s "quoted"', 'round-$n', 'round $n', '', '', '', '');
INSERT INTO rv_customers (name, note) VALUES ('customer of round $n', 'x');
INSERT INTO rv_orders (customer, total, placed) VALUES (LAST_INSERT_ID(), $n, '2025-01-02 03:04:05');
REPLACE INTO wp_options (option_name, option_value, autoload) VALUES ('rv_round', '$n', 'no');
SQL
  # On a damaged site this table is not there.
  if [[ -n $(sql -e "SHOW TABLES FROM $SCHEMA LIKE 'wp_comments'") ]]; then
    sql "$SCHEMA" -e "INSERT INTO wp_comments (comment_post_ID, comment_author, comment_content, comment_date, comment_date_gmt)
      VALUES (900000 + $n, 'visitor', 'comment of round $n', '2025-01-02 03:04:05', '2025-01-02 03:04:05')"
  fi
}

# What tar makes of archives extracted one after another, in the form of `manifest files`: the oracle for layouts and chains.
command_expect() { # ARCHIVE...
  local place=$WORLD/stage/expect archive root='' candidate
  rm -rf "$place"
  mkdir -p "$place"
  for archive in "$@"; do
    # What stands in the way of a newer entry goes: a link or file where a folder is now, a folder where a file is.
    tar --quoting-style=literal -tzf "$archive" | unblock "$place"
    tar --recursive-unlink --numeric-owner -xzpf "$archive" -C "$place"
  done
  for candidate in www files "${WORLD#/}/web/$DOMAIN" "$DOMAIN/$DOMAIN" "$DOMAIN"; do
    if [[ -d $place/$candidate ]]; then root=$place/$candidate; break; fi
  done
  [[ -n $root ]] || fail 'expect: the archives hold no document root'
  # As a restore sets them: the site's owner, and no more rights than 0755 and 0644.
  chown -Rh www-data:www-data "$root"
  find "$root" -type d -exec chmod u=rwX,go-w,ugo-st {} +
  find "$root" -type f -exec chmod u-xs,go-wxs {} +
  manifest_tree "$root"
  rm -rf "$place"
}

# Removes what would stop tar; a name with a newline in it stops nothing.
unblock() { # FOLDER
  local name part
  while IFS= read -r name; do
    part=$1/${name%/}
    if [[ $name != */ && -d $part && ! -L $part ]]; then rm -rf "$part"; fi
    while part=${part%/*}; [[ $part == "$1"/* ]]; do
      if [[ -L $part || (-e $part && ! -d $part) ]]; then rm -f "$part"; fi
    done
  done
}
