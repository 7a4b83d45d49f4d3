#!/usr/bin/env bash
# A small world of its own for demo, benchmark and tests: a MariaDB, PHP-FPM and nginx on sockets and a loopback port
# inside one folder, a real WordPress on them, a second tenant beside it, and a restore.toml that names only that folder.
# Run as root. Nothing outside DIR is written; `down` ends everything by process id.
set -euo pipefail

HARNESS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PARTS=$HARNESS/world
readonly HARNESS PARTS
readonly DOMAIN=shop.example NEIGHBOUR=neighbour.example
readonly SCHEMA=shop NEIGHBOUR_SCHEMA=neighbour

# shellcheck source=/dev/null
source "$PARTS/backup.bash"
# shellcheck source=/dev/null
source "$PARTS/life.bash"
# shellcheck source=/dev/null
source "$PARTS/server.bash"
# shellcheck source=/dev/null
source "$PARTS/services.bash"

usage() {
  cat <<'TEXT'
world.sh up DIR [--site small|demo|bench]   make the world and start it; DIR/env names its parts
world.sh backup DIR [--layout design|guide|smart|domain|all_domains] [--stamp S] [--single-row]
                [--without www|database|config] [--meta json|lines|short-name|none|lying]
                                            back the site up; prints the archive's path
world.sh backup DIR --layout smart --incremental [--stamp S] [--meta …]
                                            what changed since the last smart backup, with a dump of its own
world.sh dump DIR [--stamp S] [--failed]    only the dump of a smart backup; prints its path
world.sh touch-up DIR N [--many FILES]      the N-th round of ordinary life: files come, change and turn, rows are added
world.sh save DIR [NAME] | reset DIR [NAME] remember the state of the site; back to it, without the engine
world.sh damage DIR                         delete and deface files, drop tables, break configuration
world.sh expect DIR ARCHIVE...              what tar makes of the archives one after another, like `manifest files`
world.sh digest DIR [PART]                  one line a part: files, database, config, neighbour (the oracle)
world.sh manifest DIR tables TABLE...       the named tables alone
world.sh manifest DIR PART                  what the digest of a part is made of, line by line
world.sh tree DIR FOLDER                    any folder, like `manifest files`
world.sh strays DIR                         shadow schemas, loader accounts and staged trees that are about
world.sh sql DIR [STATEMENT]                the client, as administrator
world.sh fetch DIR [PATH]                   a page of the site
world.sh probe DIR start|stop NAME          ask for a page every 20 ms; stop prints what was seen as JSON
world.sh start DIR [database|php_fpm]       services only
world.sh stop DIR [SIGNAL] [database|php_fpm]
world.sh down DIR [--keep]                  end everything, unmount, delete DIR
TEXT
}

fail() { # MESSAGE
  printf 'world: %s\n' "$1" >&2
  exit 1
}

# Starts a program that stays, without the caller's open files: whoever reads our output waits for those to close.
alone() { # PROGRAM ARGUMENT...
  setsid "$@" </dev/null >>"$WORLD/log/start.log" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
}

sql() { # CLIENT-ARGUMENT...
  mariadb --no-defaults --default-character-set=utf8mb4 --socket="$WORLD/run/db.sock" --user=root --batch --skip-column-names "$@"
}

# --- services -------------------------------------------------------------------------------------------------------

wait_for() { # SECONDS WHAT COMMAND...
  local tries=$(($1 * 20)) what=$2
  shift 2
  while ! "$@" >/dev/null 2>&1; do
    ((tries-- > 0)) || fail "$what did not come up: $(tail -n 3 "$WORLD/log/start.log")"
    sleep 0.05
  done
}

start_php_fpm() {
  rm -f "$WORLD"/run/php-*.sock
  alone "$(php_fpm_program)" --nodaemonize --fpm-config "$WORLD/php/php-fpm.conf"
  wait_for 20 PHP-FPM test -S "$WORLD/run/php-${NEIGHBOUR%%.*}.sock" -a -s "$WORLD/run/php-fpm.pid"
}

start_services() { # [SERVICE]
  case ${1:-} in
    database) start_database; return ;;
    php_fpm) start_php_fpm; return ;;
  esac
  start_database
  start_php_fpm
  alone "$(nginx_program)" -p "$WORLD/nginx/" -c "$WORLD/nginx/nginx.conf"
  wait_for 20 nginx curl -s -o /dev/null "$WORLD_URL"
}

# A process that has ended and waits for its parent to notice has ended. One whose first thread has ended alone has not: the rest holds its files.
is_alive() { # PID
  local state threads=("/proc/$1/task"/*)
  state=$(sed -nE 's/^State:\t(.).*/\1/p' "/proc/$1/status" 2>/dev/null)
  [[ -n $state && ($state != Z || ${#threads[@]} -gt 1) ]]
}

# Ends the process of a pid file, if it is still one of this world.
end_process() { # PIDFILE SIGNAL
  local pid tries=1500 children=()
  pid=$(cat "$1" 2>/dev/null) || return 0
  [[ $pid =~ ^[0-9]+$ ]] || return 0
  # The pid file may be older than the process that has the number now.
  if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$WORLD/"; then
    # Children of one that is killed would stay.
    [[ $2 != KILL ]] || read -ra children <"/proc/$pid/task/$pid/children" || true
    kill -s "$2" "$pid" "${children[@]}" 2>/dev/null || true
    while is_alive "$pid" && ((tries-- > 0)); do sleep 0.02; done
    ! is_alive "$pid" || kill -s KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$1"
}

# Workers of the engine and anything else that was started on a path of this world.
end_stragglers() {
  local entry pid
  for entry in /proc/[0-9]*; do
    pid=${entry#/proc/}
    [[ $pid != "$$" && $pid != "$BASHPID" && $pid != "$PPID" ]] || continue
    [[ $(readlink "$entry/exe" 2>/dev/null) == */rocketvps-restore* ]] || continue
    if tr '\0' '\n' <"$entry/cmdline" 2>/dev/null | grep -qF -- "$WORLD/"; then
      kill -s KILL "$pid" 2>/dev/null || true
    fi
  done
}

stop_services() { # [SIGNAL FOR THE DATABASE] [SERVICE]
  local pidfile
  case ${2:-} in
    database) end_process "$WORLD/run/db.pid" "$1"; return ;;
    php_fpm) end_process "$WORLD/run/php-fpm.pid" "$1"; return ;;
  esac
  for pidfile in "$WORLD"/run/probe-*.pid; do end_process "$pidfile" TERM; done
  end_stragglers
  end_process "$WORLD/run/nginx.pid" TERM
  end_process "$WORLD/run/php-fpm.pid" TERM
  end_process "$WORLD/run/db.pid" "${1:-TERM}"
}

# --- making it ------------------------------------------------------------------------------------------------------

make_folders() {
  mkdir -p "$WORLD"/{run,log,tmp,stage,web,db,db-tmp,php/pool.d,nginx/sites-available,nginx/sites-enabled,ssl,cron}
  mkdir -p "$WORLD"/base/{config,"backups/$DOMAIN",snapshots,restore_logs,restore_jobs}
  chmod 0755 "$WORLD" "$WORLD"/{run,log,web}
  chmod 0700 "$WORLD"/{base,stage}
}

render() { # TEMPLATE DOMAIN NAME: fills @WORLD@, @DOMAIN@ …
  sed -e "s|@WORLD@|$WORLD|g" -e "s|@DOMAIN@|$2|g" -e "s|@NAME@|$3|g" -e "s|@PORT@|$WORLD_PORT|g" \
    -e "s|@TLS_PORT@|$WORLD_TLS_PORT|g" "$PARTS/$1"
}

make_services() {
  local domain name
  cp /etc/nginx/mime.types /etc/nginx/fastcgi_params "$WORLD/nginx/"
  render nginx.conf - - >"$WORLD/nginx/nginx.conf"
  render php-fpm.conf - - >"$WORLD/php/php-fpm.conf"
  for domain in "$DOMAIN" "$NEIGHBOUR"; do
    name=${domain%%.*}
    mkdir -p "$WORLD/ssl/$domain"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 -subj "/CN=$domain" \
      -addext "subjectAltName=DNS:$domain,DNS:www.$domain" -keyout "$WORLD/ssl/$domain/privkey.pem" \
      -out "$WORLD/ssl/$domain/fullchain.pem" 2>>"$WORLD/log/start.log"
    chmod 0600 "$WORLD/ssl/$domain/privkey.pem"
    chmod 0644 "$WORLD/ssl/$domain/fullchain.pem"
    render site.nginx "$domain" "$name" >"$WORLD/nginx/sites-available/$domain"
    ln -s "../sites-available/$domain" "$WORLD/nginx/sites-enabled/$domain"
    render pool.conf "$domain" "$name" >"$WORLD/php/pool.d/$domain.conf"
    printf '# background work of %s\n*/5 * * * * www-data php %s/wp-cron.php >/dev/null 2>&1\n' \
      "$domain" "$WORLD/web/$domain" >"$WORLD/cron/${domain//./_}"
    chmod 0644 "$WORLD/nginx/sites-available/$domain" "$WORLD/php/pool.d/$domain.conf" "$WORLD/cron/${domain//./_}"
  done
  render restore.toml "$DOMAIN" - >"$WORLD/restore.toml"
  # Its renaming of many tables is not all or nothing in a crash: somebody has to accept that.
  [[ ${RV_SERVER:-} != mariadb105 ]] || sed -i '/^\[mysql\]/a accept = ["atomic_rename"]' "$WORLD/restore.toml"
  [[ -z ${RV_NGINX:-} ]] || sed -i "s|^nginx = { |&program = \"$(nginx_program)\", |" "$WORLD/restore.toml"
  chmod 0600 "$WORLD/restore.toml"
}

# The real files of Debian's package, links followed. The small site leaves out what only browsers and editors load.
make_wordpress() { # SITE
  local root=$WORLD/web/$DOMAIN copy
  [[ -f /usr/share/wordpress/wp-load.php ]] || fail 'wordpress is not installed; run scripts/install-deps.sh'
  mkdir -p "$root"
  if [[ $1 == small ]]; then
    tar -C /usr/share/wordpress -chf - --exclude=./.htaccess --exclude='./wp-includes/js' --exclude='./wp-includes/css' \
      --exclude='./wp-includes/fonts' --exclude='./wp-includes/images' --exclude='./wp-includes/sodium_compat' \
      --exclude='./wp-includes/SimplePie' --exclude='./wp-includes/blocks/*/*.css' --exclude='./wp-includes/blocks/*/*.js' \
      --exclude='./wp-admin/js' --exclude='./wp-admin/css' --exclude='./wp-admin/images' . | tar -C "$root" -xf -
  else
    tar -C /usr/share/wordpress -chf - --exclude=./.htaccess . | tar -C "$root" -xf -
  fi
  if [[ $1 == bench ]]; then
    for copy in 1 2 3 4; do
      mkdir -p "$root/wp-content/plugins/suite-$copy"
      cp -rL /usr/share/wordpress/wp-admin /usr/share/wordpress/wp-includes "$root/wp-content/plugins/suite-$copy/"
    done
  fi
  mkdir -p "$root/wp-content/themes/rocket" "$root/wp-content/upgrade" "$root/wp-content/languages"
  cp "$PARTS/theme.php" "$root/wp-content/themes/rocket/index.php"
  printf '/*\nTheme Name: Rocket\nVersion: 1.0\n*/\n' >"$root/wp-content/themes/rocket/style.css"
  cp "$PARTS/probe.php" "$root/rv-probe.php"
  printf '<?php return "backup";\n' >"$root/wp-content/rv-side.php"
  sed -e "s|@WORLD@|$WORLD|g" -e "s|@SCHEMA@|$SCHEMA|g" -e "s|@PASSWORD@|$WORLD_PASSWORD|g" -e "s|@URL@|$WORLD_SITE|g" \
    "$PARTS/wp-config.php" >"$root/wp-config.php"
}

make_neighbour() {
  local root=$WORLD/web/$NEIGHBOUR
  mkdir -p "$root/private"
  printf '<?php echo "neighbour\\n";\n' >"$root/index.php"
  printf 'not yours\n' >"$root/private/secret.txt"
  chmod 0600 "$root/private/secret.txt"
  chown -R www-data:www-data "$root"
  with_sequences "$NEIGHBOUR_SCHEMA" sql "$NEIGHBOUR_SCHEMA" <<SQL
CREATE TABLE ledger (id INT PRIMARY KEY AUTO_INCREMENT, entry VARCHAR(200), amount DECIMAL(10,2)) ENGINE=InnoDB;
INSERT INTO ledger (id, entry, amount) SELECT seq, CONCAT('entry ', seq), seq * 1.25 FROM seq_1_to_500;
CREATE VIEW totals AS SELECT COUNT(*) AS n, SUM(amount) AS amount FROM ledger;
SQL
}

make_accounts() {
  sql <<SQL
CREATE DATABASE $SCHEMA CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE USER '$SCHEMA'@'localhost' IDENTIFIED BY '$WORLD_PASSWORD';
GRANT ALL PRIVILEGES ON $SCHEMA.* TO '$SCHEMA'@'localhost';
CREATE DATABASE $NEIGHBOUR_SCHEMA;
CREATE USER '$NEIGHBOUR_SCHEMA'@'localhost' IDENTIFIED BY 'of-the-neighbour';
GRANT ALL PRIVILEGES ON $NEIGHBOUR_SCHEMA.* TO '$NEIGHBOUR_SCHEMA'@'localhost';
SQL
}

make_content() { # SITE
  local root=$WORLD/web/$DOMAIN
  php -d memory_limit=1G "$PARTS/content.php" "$1" "$root/wp-content/uploads" "$WORLD/tmp" >>"$WORLD/log/start.log"
  # What sites hold beside plain files: links, long and foreign names, an empty folder, a file with holes.
  ln -s uploads/2024 "$root/wp-content/latest"
  printf 'shared\n' >"$root/wp-content/uploads/original.txt"
  ln "$root/wp-content/uploads/original.txt" "$root/wp-content/uploads/second-name.txt"
  mkdir -p "$root/wp-content/cache/empty"
  printf 'long\n' >"$root/wp-content/uploads/$(printf 'a-name-that-does-not-fit-%.0s' 1 2 3 4 5 6 7)end.txt"
  printf 'foreign\n' >"$root/wp-content/uploads/Cà phê sữa đá ☕.txt"
  truncate -s 1M "$root/wp-content/uploads/holes.bin"
  printf 'tail' >>"$root/wp-content/uploads/holes.bin"
  make_oddities
  php "$PARTS/install.php" "$root" >>"$WORLD/log/start.log" 2>&1 || fail "wp_install failed; see $WORLD/log/start.log"
  sql --local-infile=0 "$SCHEMA" <<SQL
SET unique_checks = 0, foreign_key_checks = 0;
DELETE FROM wp_posts; DELETE FROM wp_postmeta;
LOAD DATA INFILE '$WORLD/tmp/posts.tsv' INTO TABLE wp_posts CHARACTER SET utf8mb4
  (ID, post_date, post_title, post_name, post_content)
  SET post_author = 1, post_date_gmt = post_date, post_modified = post_date, post_modified_gmt = post_date,
      post_excerpt = '', to_ping = '', pinged = '', post_content_filtered = '', guid = CONCAT('$WORLD_SITE/?p=', ID);
LOAD DATA INFILE '$WORLD/tmp/postmeta.tsv' INTO TABLE wp_postmeta CHARACTER SET utf8mb4 (post_id, meta_key, meta_value);
INSERT INTO wp_options (option_name, option_value, autoload) VALUES ('rv_side', 'backup', 'no');
SQL
  rm -f "$WORLD/tmp"/*.tsv
  # By the site's own account: its triggers, views and routines have it as their definer.
  with_sequences "$SCHEMA" mariadb --no-defaults --default-character-set=utf8mb4 --socket="$WORLD/run/db.sock" --user="$SCHEMA" \
    --password="$WORLD_PASSWORD" "$SCHEMA" < <(extras)
  find "$root" -type d -exec chmod 0755 {} +
  find "$root" -type f -exec chmod 0644 {} +
  chmod 0640 "$root/wp-config.php"
  chown -Rh www-data:www-data "$root"
}

write_env() {
  {
    printf 'WORLD=%q\n' "$WORLD"
    printf 'WORLD_DOMAIN=%q\n' "$DOMAIN"
    printf 'WORLD_NEIGHBOUR=%q\n' "$NEIGHBOUR"
    printf 'WORLD_SCHEMA=%q\n' "$SCHEMA"
    printf 'WORLD_PASSWORD=%q\n' "$WORLD_PASSWORD"
    printf 'WORLD_PORT=%q\n' "$WORLD_PORT"
    printf 'WORLD_TLS_PORT=%q\n' "$WORLD_TLS_PORT"
    printf 'WORLD_URL=%q\n' "$WORLD_URL"
    printf 'WORLD_SITE=%q\n' "$WORLD_SITE"
    printf 'WORLD_ROOT=%q\n' "$WORLD/web/$DOMAIN"
    printf 'WORLD_SOCKET=%q\n' "$WORLD/run/db.sock"
    printf 'WORLD_BACKUPS=%q\n' "$WORLD/base/backups/$DOMAIN"
    printf 'RV_CONFIG=%q\n' "$WORLD/restore.toml"
  } >"$WORLD/env"
  chmod 0600 "$WORLD/env"
}

command_up() { # [--site SITE]
  local site=small
  while (($#)); do
    case $1 in
      --site) site=${2:?}; shift 2 ;;
      *) fail "up: unknown option $1" ;;
    esac
  done
  case $site in small | demo | bench) ;; *) fail "there is no site $site" ;; esac
  ((EUID == 0)) || fail 'run it as root'
  [[ ! -e $WORLD/env ]] || fail "$WORLD holds a world already"
  ((${#WORLD} < 80)) || fail "$WORLD is too long for the path of a socket"
  WORLD_PORT=$(free_port $((20000 + RANDOM % 8000)))
  WORLD_TLS_PORT=$(free_port $((WORLD_PORT + 1)))
  WORLD_URL=http://127.0.0.1:$WORLD_PORT/
  WORLD_SITE=http://$DOMAIN
  WORLD_PASSWORD=$(openssl rand -hex 12)
  # A world that did not come up leaves nothing running; its logs stay for reading.
  trap 'stop_services || true' EXIT
  make_folders
  setpriv --reuid=www-data --regid=www-data --clear-groups test -x "$WORLD/web" || fail "www-data cannot reach $WORLD: chmod 0711 its parents"
  make_database &
  local database=$!
  make_wordpress "$site"
  make_services
  wait "$database" || fail "the database could not be made; see $WORLD/log/start.log"
  write_env
  start_services
  make_accounts
  make_neighbour
  make_content "$site"
  # The first page writes a few options; after it the site stays as it is.
  command_fetch "" >"$WORLD/log/first-page" 2>&1 || true
  grep -q "<h1>Rocket Shop</h1>" "$WORLD/log/first-page" || fail "the site does not answer; see $WORLD/log; it said: $(head -c 300 "$WORLD/log/first-page")"
  command_fetch rv-probe.php | grep '^RV files=backup db=backup ' >/dev/null || fail "the site does not answer; see $WORLD/log"
  trap - EXIT
  cat "$WORLD/env"
}

# --- the oracle -----------------------------------------------------------------------------------------------------

# Type, mode, owner, size, time, link target and content of everything below a folder.
manifest_tree() { # FOLDER
  (
    cd "$1" 2>/dev/null || { printf 'missing\n'; exit 0; }
    {
      find . -type f -printf 'file\t%m\t%U:%G\t%s\t%T@\t%p\n' | sed -E 's/\.[0-9]+(\t[^\t]*)$/\1/'
      find . ! -type f -printf '%y\t%m\t%U:%G\t%l\t%p\n'
      find . -type f -print0 | xargs -0 -r xxh128sum -q
    } | LC_ALL=C sort
  )
}

# DDL of everything and every row, one a line, in the order of the primary keys. (CHECKSUM TABLE is no oracle: it differs
# between equal tables with generated columns.) Of named tables: their triggers too, but no routines and events.
manifest_schema() { # SCHEMA [TABLE...]
  local objects=()
  (($# > 1)) || objects=(--routines --events)
  dump_program --triggers "${objects[@]}" --order-by-primary \
    --skip-extended-insert --hex-blob --skip-comments --skip-dump-date --default-character-set=utf8mb4 --single-transaction "$@" \
    2>/dev/null | printed_alike || printf 'missing\n'
}

manifest_config() { # DOMAIN
  local file
  for file in "$WORLD/nginx/sites-available/$1" "$WORLD/nginx/sites-enabled/$1" "$WORLD/php/pool.d/$1.conf" \
    "$WORLD/cron/${1//./_}" "$WORLD/ssl/$1"/*; do
    if [[ -L $file ]]; then
      printf 'link\t%s\t%s\n' "${file#"$WORLD"/}" "$(readlink -f "$file")"
    elif [[ -f $file ]]; then
      printf 'file\t%s\t%s\t%s\n' "${file#"$WORLD"/}" "$(stat -c '%a %u:%g %s' "$file")" "$(sha256sum <"$file")"
    else
      printf 'none\t%s\n' "${file#"$WORLD"/}"
    fi
  done
}

command_manifest() { # PART [TABLE...]
  case $1 in
    tables) manifest_schema "$SCHEMA" "${@:2}" ;;
    files) manifest_tree "$WORLD/web/$DOMAIN" ;;
    database) manifest_schema "$SCHEMA" ;;
    config) manifest_config "$DOMAIN" ;;
    neighbour)
      manifest_tree "$WORLD/web/$NEIGHBOUR"
      manifest_schema "$NEIGHBOUR_SCHEMA"
      manifest_config "$NEIGHBOUR"
      # Nobody's account or grant may come or go.
      accounts
      find "$WORLD/nginx" "$WORLD/php" "$WORLD/ssl" "$WORLD/cron" -not -path "*$DOMAIN*" -not -path "*${DOMAIN//./_}*" \
        -type f -exec xxh128sum -q {} + | LC_ALL=C sort
      # The machine's own configuration is nobody's to change either.
      find /etc -xdev -printf '%y %m %U:%G %s %T@ %l %p\n' | LC_ALL=C sort | sha256sum
      ;;
    *) fail "there is no part $1" ;;
  esac
}

command_digest() { # [PART]
  local part hash
  for part in ${1:-files database config neighbour}; do
    hash=$(command_manifest "$part" | sha256sum)
    printf '%s %s\n' "$part" "${hash%% *}"
  done
}

command_strays() {
  sql -e "SELECT CONCAT('schema ', schema_name) FROM information_schema.schemata WHERE schema_name LIKE 'rvs\\_%'
    UNION ALL SELECT CONCAT('account ', User) FROM mysql.user WHERE User LIKE 'rv\\_%'"
  local staged
  for staged in "$WORLD"/web/.rocketvps-restore/*/; do
    [[ -d $staged ]] || continue
    # A kept tree is named by the manifest of its snapshot; anything else was forgotten.
    grep -rqsF "$(basename "$staged")" "$WORLD/base/snapshots" || printf 'tree %s\n' "$staged"
  done
}

# --- the site as visitors see it --------------------------------------------------------------------------------------

command_fetch() { # [PATH]
  curl -sS --max-time 20 -H "Host: $DOMAIN" "$WORLD_URL${1:-}"
}

command_probe() { # start|stop NAME
  local pidfile=$WORLD/run/probe-$2.pid report=$WORLD/tmp/probe-$2.json
  case $1 in
    start)
      rm -f "$report"
      alone php "$HARNESS/prober.php" 127.0.0.1 "$WORLD_PORT" "$DOMAIN" /rv-probe.php "$pidfile" "$report"
      wait_for 10 'the prober' test -s "$pidfile"
      ;;
    stop)
      end_process "$pidfile" TERM
      wait_for 10 "the prober's report" test -s "$report"
      cat "$report"
      ;;
    *) fail "probe: start or stop, not $1" ;;
  esac
}

command_down() { # [--keep]
  local keep=${1:-} signal=KILL
  # A database whose folder goes next needs no orderly end.
  [[ $keep != --keep ]] || signal=TERM
  stop_services "$signal"
  if mountpoint -q "$WORLD"; then
    umount "$WORLD"
  fi
  [[ $keep == --keep ]] || rm -rf "$WORLD"
}

main() {
  local command=${1:-} directory=${2:-}
  [[ -n $command && $command != --help ]] || { usage; exit 0; }
  [[ -n $directory ]] || { usage >&2; exit 2; }
  shift 2
  mkdir -p "$directory"
  WORLD=$(cd "$directory" && pwd -P)
  if [[ $command == up ]]; then
    command_up "$@"
    return
  fi
  if [[ -f $WORLD/env ]]; then
    # shellcheck source=/dev/null
    source "$WORLD/env"
  elif [[ $command != down ]]; then
    fail "$WORLD holds no world"
  fi
  case $command in
    backup) command_backup "$@" ;;
    dump) command_dump "$@" ;;
    touch-up) command_touch_up "$@" ;;
    save) command_save "$@" ;;
    reset) command_reset "$@" ;;
    damage) command_damage ;;
    expect) command_expect "$@" ;;
    digest) command_digest "$@" ;;
    manifest) command_manifest "$@" ;;
    tree) manifest_tree "${1:?}" ;;
    strays) command_strays ;;
    sql) if (($#)); then sql -e "$1"; else sql; fi ;;
    fetch) command_fetch "$@" ;;
    probe) command_probe "$@" ;;
    start) start_services "$@" ;;
    stop) stop_services "$@" ;;
    down) command_down "$@" ;;
    *) usage >&2; exit 2 ;;
  esac
}

main "$@"
