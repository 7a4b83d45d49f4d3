#!/usr/bin/env bash
# Runs inside a machine: makes sites and backups as RocketVPS's modules do, damages them, and says what stands there.
# It asks nothing of the engine.
#
#   kit.sh site DOMAIN TYPE ROOT CERTIFICATE DATABASE   makes a site; TYPE: static php cache wordpress laravel node
#   kit.sh adopt DOMAIN NUMBER TYPE                     lets RocketVPS's own functions make it: their menu's number, our type
#   kit.sh backup DOMAIN FORM                           backs it up: smart, incremental, domain, all, design, or by RocketVPS's own
#                                                       functions: rocketvps; prints the archive
#   kit.sh damage DOMAIN [PART...]                      deletes and defaces files, drops and changes rows
#   kit.sh live DOMAIN                                  ordinary days: files and rows come and change
#   kit.sh grow DOMAIN                                  so much content that staging takes a while
#   kit.sh repair DOMAIN                                the site as it was made, its backups deleted
#   kit.sh page DOMAIN                                  what a visitor sees: status and text, redirects followed
#   kit.sh digest DOMAIN PART                           files, modes, database, owner
#   kit.sh strays                                       schemas and accounts of the engine's that are about
# shellcheck disable=SC2016  # what is written for nginx and PHP has variables of its own
set -euo pipefail
readonly BASE=/opt/rocketvps
readonly BACKUPS=$BASE/backups LIST=$BASE/config/domains.list CREDENTIALS=$BASE/config/database_credentials
readonly AVAILABLE=/etc/nginx/sites-available ENABLED=/etc/nginx/sites-enabled

fail() { # TEXT
  printf 'kit: %s\n' "$1" >&2
  exit 1
}

# --- what is known of a site ---------------------------------------------------------------------------------------------

root_of() { # DOMAIN
  awk -F '|' -v domain="$1" '$1 == domain { print $2 }' "$LIST"
}

schema_of() { # DOMAIN
  printf '%s' "${1//[.-]/_}"
}

has_database() { # DOMAIN
  [[ -e $CREDENTIALS/$1.conf ]]
}

# RocketVPS makes a database for every site, and a static one leaves it empty.
has_tables() { # DOMAIN
  has_database "$1" && [[ -n $(mariadb -N "$(schema_of "$1")" -e 'SHOW TABLES') ]]
}

socket_of_php() {
  find /run/php -name 'php*-fpm.sock' | sort | head -n 1
}

# --- a site --------------------------------------------------------------------------------------------------------------

make_database() { # DOMAIN
  local name password
  name=$(schema_of "$1")
  password=$(openssl rand -base64 16)
  mariadb <<SQL
CREATE DATABASE \`$name\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE USER '$name'@'localhost' IDENTIFIED BY '$password';
CREATE USER '$name'@'%' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON \`$name\`.* TO '$name'@'localhost';
GRANT ALL PRIVILEGES ON \`$name\`.* TO '$name'@'%';
SQL
  fill_database "$1"
  mkdir -p "$CREDENTIALS"
  chmod 0700 "$CREDENTIALS"
  printf 'MYSQL_DB_NAME=%s\nMYSQL_DB_USER=%s\nMYSQL_DB_PASSWORD=%s\nDOMAIN=%s\n' "$name" "$name" "$password" "$1" >"$CREDENTIALS/$1.conf"
  chmod 0600 "$CREDENTIALS/$1.conf"
  printf '%s' "$password"
}

fill_database() { # DOMAIN
  mariadb "$(schema_of "$1")" <<SQL
CREATE TABLE wp_options (name VARCHAR(64) PRIMARY KEY, value TEXT) ENGINE=InnoDB;
CREATE TABLE wp_posts (id INT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(200), body MEDIUMTEXT, KEY (title)) ENGINE=InnoDB;
INSERT INTO wp_options VALUES ('greeting', '$1 as it was saved');
INSERT INTO wp_posts (title, body) SELECT CONCAT('Post ', seq), REPEAT(MD5(seq), 20) FROM seq_1_to_2000;
SQL
}

# The site's own code asks its database for the greeting, as the type's programs ask theirs.
write_code() { # DOMAIN TYPE ROOT PASSWORD
  local name folder=$3
  name=$(schema_of "$1")
  case $2 in
    static)
      printf '<h1>%s as it was saved</h1>\n' "$1" >"$3/index.html"
      return
      ;;
    node)
      # Any program that listens will do for what nginx passes on to it.
      printf '<?php echo file_get_contents(__DIR__ . "/greeting.txt");\n' >"$3/server.php"
      printf '<h1>%s as it was saved</h1>\n' "$1" >"$3/greeting.txt"
      return
      ;;
    wordpress)
      printf "<?php\ndefine('DB_NAME', '%s');\ndefine('DB_USER', '%s');\ndefine('DB_PASSWORD', '%s');\ndefine('DB_HOST', 'localhost');\n\$table_prefix = 'wp_';\n" \
        "$name" "$name" "$4" >"$3/wp-config.php"
      ;;
    laravel)
      folder=$3/public
      mkdir -p "$folder" "$3/storage/logs" "$3/vendor/acme"
      printf 'APP_URL=http://%s\nDB_CONNECTION=mysql\nDB_HOST=localhost\nDB_DATABASE=%s\nDB_USERNAME=%s\nDB_PASSWORD="%s"\n' "$1" "$name" "$name" "$4" >"$3/.env"
      printf '#!/usr/bin/env php\n' >"$3/artisan"
      printf '<?php // what composer brings\n' >"$3/vendor/acme/autoload.php"
      printf 'a line of a log\n' >"$3/storage/logs/laravel.log"
      ;;
    *)
      printf "<?php\nreturn ['mysql:unix_socket=' . \$socket . ';dbname=%s', '%s', '%s'];\n" "$name" "$name" "$4" >"$3/settings.php"
      ;;
  esac
  cat >"$folder/index.php" <<'PHP'
<?php
// A case may want a page that takes its time: this many seconds.
if (is_file('/run/slow')) {
    sleep((int) file_get_contents('/run/slow'));
}
// Where PHP looks by itself, a new MariaDB of Debian sid does not listen.
$socket = is_dir('/run/mysqld') ? '/run/mysqld/mysqld.sock' : '/run/mariadbd/mysqld.sock';
$near = is_file(__DIR__ . '/settings.php') || is_file(__DIR__ . '/wp-config.php') ? __DIR__ : dirname(__DIR__);
if (is_file("$near/settings.php")) {
    $account = require "$near/settings.php";
} elseif (is_file("$near/wp-config.php")) {
    require "$near/wp-config.php";
    $account = ["mysql:unix_socket=$socket;dbname=" . DB_NAME, DB_USER, DB_PASSWORD];
} else {
    $said = parse_ini_file("$near/.env", false, INI_SCANNER_RAW);
    $account = ["mysql:unix_socket=$socket;dbname=$said[DB_DATABASE]", $said['DB_USERNAME'], $said['DB_PASSWORD']];
}
require __DIR__ . '/theme.php';
echo theme((new PDO(...$account))->query("SELECT value FROM wp_options WHERE name = 'greeting'")->fetchColumn());
PHP
  printf '<?php\nfunction theme(string $text): string { return "<h1>$text</h1>\\n"; }\n' >"$folder/theme.php"
}

write_content() { # ROOT
  local number
  mkdir -p "$1/uploads/2024" "$1/uploads/2025"
  for number in {1..150}; do
    head -c 20000 /dev/urandom >"$1/uploads/2024/picture-$number.jpg"
  done
  printf 'letters of many alphabets\n' >"$1/uploads/2025/ảnh đẹp.txt"
  ln -s ../2024/picture-1.jpg "$1/uploads/2025/first.jpg"
}

# The body of nginx's server for a type.
locations() { # TYPE ROOT
  local served=$2 otherwise='/index.php?$args'
  [[ $1 != laravel ]] || served=$2/public
  [[ $1 != static ]] || otherwise='=404'
  if [[ $1 == node ]]; then
    printf '    location / {\n        proxy_pass http://127.0.0.1:3000;\n        proxy_set_header Host $host;\n    }\n'
    return
  fi
  printf '    root %s;\n    index index.php index.html;\n' "$served"
  printf '    location / {\n        try_files $uri $uri/ %s;\n    }\n' "$otherwise"
  if [[ $1 != static ]]; then
    printf '    location ~ \\.php$ {\n        include snippets/fastcgi-php.conf;\n        fastcgi_pass unix:%s;\n' "$(socket_of_php)"
    [[ $1 != cache ]] || printf '        fastcgi_cache fastcgi_cache;\n        fastcgi_cache_valid 200 60m;\n        add_header X-FastCGI-Cache $upstream_cache_status;\n'
    printf '    }\n'
  fi
  printf '    location ~ /\\.ht {\n        deny all;\n    }\n'
}

write_server() { # DOMAIN TYPE ROOT CERTIFICATE
  local domain=$1 live=/etc/letsencrypt/live/$1
  if [[ $2 == cache && ! -e /etc/nginx/conf.d/fastcgi_cache.conf ]]; then
    printf 'fastcgi_cache_path /var/cache/nginx levels=1:2 keys_zone=fastcgi_cache:10m inactive=60m;\nfastcgi_cache_key "$scheme$request_method$host$request_uri";\n' \
      >/etc/nginx/conf.d/fastcgi_cache.conf
  fi
  {
    printf 'server {\n    server_name %s www.%s;\n' "$domain" "$domain"
    printf '    access_log /var/log/nginx/%s_access.log;\n    error_log /var/log/nginx/%s_error.log;\n' "$domain" "$domain"
    locations "$2" "$3"
    if [[ $4 == redirect ]]; then
      printf '    listen [::]:443 ssl;\n    listen 443 ssl;\n    ssl_certificate %s/fullchain.pem;\n    ssl_certificate_key %s/privkey.pem;\n}\n' "$live" "$live"
      printf 'server {\n    if ($host = %s) {\n        return 301 https://$host$request_uri;\n    }\n' "$domain"
      printf '    server_name %s www.%s;\n    listen 80;\n    listen [::]:80;\n    return 404;\n' "$domain" "$domain"
    else
      printf '    listen 80;\n    listen [::]:80;\n'
    fi
    printf '}\n'
  } >"$AVAILABLE/$domain"
  ln -sf "$AVAILABLE/$domain" "$ENABLED/$domain"
}

# Laid out as certbot does: files with numbers in archive/, links to them in live/.
make_certificate() { # DOMAIN
  local archive=/etc/letsencrypt/archive/$1 live=/etc/letsencrypt/live/$1 name
  mkdir -p "$archive" "$live"
  openssl req -x509 -newkey rsa:2048 -nodes -days 90 -subj "/CN=$1" -addext "subjectAltName=DNS:$1,DNS:www.$1" \
    -keyout "$archive/privkey1.pem" -out "$archive/cert1.pem" 2>/dev/null
  cp "$archive/cert1.pem" "$archive/fullchain1.pem"
  cp "$archive/cert1.pem" "$archive/chain1.pem"
  chmod 0600 "$archive/privkey1.pem"
  for name in cert chain fullchain privkey; do
    ln -s "../../archive/$1/${name}1.pem" "$live/$name.pem"
  done
}

make_app() { # DOMAIN ROOT
  cat >"/etc/systemd/system/app-$1.service" <<UNIT
[Service]
User=www-data
ExecStart=/usr/bin/php -S 127.0.0.1:3000 $2/server.php
Restart=always
[Install]
WantedBy=multi-user.target
UNIT
  systemctl daemon-reload
  systemctl --quiet enable --now "app-$1"
}

make_site() { # DOMAIN TYPE ROOT CERTIFICATE DATABASE
  local password=
  mkdir -p "$3" "$BASE/config" "$BACKUPS"
  [[ $5 != yes ]] || password=$(make_database "$1")
  write_code "$1" "$2" "$3" "$password"
  write_content "$3"
  chown -R www-data:www-data "$3"
  chmod -R 755 "$3"
  [[ $4 != redirect ]] || make_certificate "$1"
  write_server "$@"
  [[ $2 != node ]] || make_app "$1" "$3"
  printf '%s|%s|%s\n' "$1" "$3" "$(date +%F)" >>"$LIST"
  nginx -t -q
  systemctl reload nginx
  wait_for_page "$1"
  keep "$1"
}

# --- RocketVPS itself ----------------------------------------------------------------------------------------------------

# Runs one of its functions; what it asks is answered on standard input.
theirs() { # FUNCTION [ARGUMENT...]
  bash -c '
    cd /root/field/upstream || exit
    # Debian 13 has the programs under their new names alone.
    command -v mysql >/dev/null || mysql() { mariadb "$@"; }
    command -v mysqldump >/dev/null || mysqldump() { mariadb-dump "$@"; }
    export TERM=xterm
    source <(sed "/^main$/d" rocketvps.sh)
    for module in modules/*.sh; do
      case $module in
        # The first ends the shell by an error of its own; the others are ours now.
        */vault_ui.sh | */restore.sh | */restore_ui.sh) ;;
        *) source "$module" ;;
      esac
    done
    init_directories
    "$@"' theirs "$@"
}

adopt_site() { # DOMAIN NUMBER TYPE
  local root password=
  mkdir -p "$BASE/config" "$BACKUPS"
  printf '%s\n\n%s\n\n\n\n' "$1" "$2" | theirs add_domain >/dev/null
  root=$(root_of "$1")
  [[ -d $root ]] || fail "RocketVPS did not make $1"
  find "$root" -mindepth 1 -delete
  if [[ $3 != static ]]; then
    fill_database "$1"
    password=$(sed -n 's/^MYSQL_DB_PASSWORD=//p' "$CREDENTIALS/$1.conf")
  fi
  write_code "$1" "$3" "$root" "$password"
  write_content "$root"
  chown -R www-data:www-data "$root"
  chmod -R 755 "$root"
  wait_for_page "$1"
  keep "$1"
}

# A reload is over before the new workers answer.
wait_for_page() { # DOMAIN
  local tries=50
  until [[ $(page "$1") == *"$1 as it was"* ]]; do
    ((tries-- > 0)) || fail "$1 does not answer: $(page "$1")"
    sleep 0.1
  done
}

# --- backups -------------------------------------------------------------------------------------------------------------

# Two backups of one second would have one name.
stamp() {
  sleep 1
  date +%Y%m%d_%H%M%S
}

# What a smart backup leaves out.
readonly LEFT_OUT=('*/cache/*' '*/tmp/*' '*/logs/*' '*.log' '*/node_modules/*' '*/vendor/*' '*/.git/*')

write_meta() { # ARCHIVE DOMAIN STAMP KIND
  printf '{\n  "type": "%s",\n  "domain": "%s",\n  "timestamp": "%s",\n  "unix_timestamp": %d,\n  "file_count": %d,\n  "backup_size": "%s"%s\n}\n' \
    "$4" "$2" "$3" "$(date +%s)" "$(tar -tzf "$1" | wc -l)" "$(du -h "$1" | cut -f 1)" "${5:-}" >"$1.meta"
}

backup_smart() { # DOMAIN
  local folder=$BACKUPS/$1 now archive
  now=$(stamp)
  archive=$folder/backup_$now.tar.gz
  mkdir -p "$folder"
  tar -czf "$archive" -C / "${LEFT_OUT[@]/#/--exclude=}" "/var/www/$1" 2>/dev/null
  write_meta "$archive" "$1" "$now" full
  if has_database "$1"; then
    mariadb-dump --single-transaction --quick --lock-tables=false "$(schema_of "$1")" | gzip >"$folder/database_$(stamp).sql.gz"
  fi
  printf '%s\n' "$archive"
}

backup_incremental() { # DOMAIN
  local folder=$BACKUPS/$1 now archive base
  base=$(find "$folder" -name 'backup_*.tar.gz' ! -name '*_incremental*' | sort | tail -n 1)
  now=$(stamp)
  archive=$folder/backup_${now}_incremental.tar.gz
  find "/var/www/$1" -type f -newer "$base" >"$folder/.changed"
  tar -czf "$archive" -C / "${LEFT_OUT[@]/#/--exclude=}" --files-from="$folder/.changed" 2>/dev/null
  rm "$folder/.changed"
  write_meta "$archive" "$1" "$now" incremental ",
  \"base_backup\": \"$base\""
  if has_database "$1"; then
    mariadb-dump --single-transaction --quick --lock-tables=false "$(schema_of "$1")" | gzip >"$folder/database_$(stamp).sql.gz"
  fi
  printf '%s\n' "$archive"
}

backup_domain() { # DOMAIN
  local root archive
  root=$(root_of "$1")
  archive=$BACKUPS/domain_$1_$(stamp).tar.gz
  tar -czf "$archive" -C "$(dirname "$root")" "$(basename "$root")"
  printf '%s\n' "$archive"
}

backup_all() {
  local domain root work archive
  work=$(mktemp -d)
  archive=$BACKUPS/all_domains_$(stamp).tar.gz
  while IFS='|' read -r domain root _; do
    mkdir -p "$work/$domain"
    cp -r "$root" "$work/$domain/"
  done <"$LIST"
  tar -czf "$archive" -C "$work" .
  rm -rf "$work"
  printf '%s\n' "$archive"
}

# As its menu does.
backup_rocketvps() { # DOMAIN
  sleep 1
  theirs smart_backup_domain "$1" full </dev/null >/dev/null
  find "$BACKUPS/$1" -name 'backup_*.tar.gz' | sort | tail -n 1
}

# The form that the product's design names: www/, database.sql, config/.
backup_design() { # DOMAIN
  local folder=$BACKUPS/$1 work archive
  work=$(mktemp -d)
  mkdir -p "$folder" "$work/config"
  archive=$folder/backup_$(stamp).tar.gz
  cp -a "$(root_of "$1")" "$work/www"
  cp "$AVAILABLE/$1" "$work/config/nginx.conf"
  ! has_database "$1" || mariadb-dump --single-transaction "$(schema_of "$1")" >"$work/database.sql"
  tar -czf "$archive" -C "$work" .
  rm -rf "$work"
  printf '%s\n' "$archive"
}

# --- what happens to it, and what stands there ---------------------------------------------------------------------------

damage() { # DOMAIN [PART...]: files, database; both where none is named
  local root parts=" ${*:2} "
  root=$(root_of "$1")
  if [[ $parts == '  ' || $parts == *' files '* ]]; then
    rm -rf "$root/uploads/2024"
    find "$root" \( -name theme.php -o -name index.html -o -name greeting.txt \) -exec sed -i 's/<h1>\(defaced \)*/<h1>defaced /' {} +
    printf '<?php // a back door\n' >"$root/shell.php"
  fi
  if [[ $parts == '  ' || $parts == *' database '* ]] && has_tables "$1"; then
    mariadb "$(schema_of "$1")" -e "DROP TABLE IF EXISTS wp_posts; UPDATE wp_options SET value = '$1 as it was damaged'; CREATE TABLE IF NOT EXISTS wp_junk (a INT)"
  fi
  forget_pages
  page "$1" >/dev/null
}

# What nginx keeps of PHP's answers: a visitor of the damaged site has its pages put in anew.
forget_pages() {
  [[ ! -d /var/cache/nginx ]] || find /var/cache/nginx -type f -delete
}

# A site that takes a while to stage.
grow() { # DOMAIN
  local root number
  root=$(root_of "$1")
  mkdir -p "$root/uploads/2023"
  for number in {1..400}; do
    head -c 150000 /dev/urandom >"$root/uploads/2023/film-$number.bin"
  done
  chown -R www-data:www-data "$root"
  mariadb "$(schema_of "$1")" -e "INSERT INTO wp_posts (title, body) SELECT CONCAT('Old ', seq), REPEAT(SHA2(seq, 256), 10) FROM seq_1_to_40000"
  keep "$1"
}

# Ordinary days: a file comes, one changes, rows come and change.
live() { # DOMAIN
  local root
  root=$(root_of "$1")
  sleep 1
  head -c 30000 /dev/urandom >"$root/uploads/2025/new-picture.jpg"
  printf '\n' >>"$(find "$root" -name 'index.*' -print -quit)"
  chown -R www-data:www-data "$root"
  ! has_database "$1" || mariadb "$(schema_of "$1")" -e "INSERT INTO wp_posts (title, body) VALUES ('News', 'of today')"
}

# The state that a site was made in is kept apart, so that cases do not hang on each other.
readonly KEPT=/root/field/kept

keep() { # DOMAIN
  mkdir -p "$KEPT"
  tar -cf "$KEPT/$1.tar" -C "$(root_of "$1")" .
  ! has_database "$1" || mariadb-dump --databases --add-drop-database "$(schema_of "$1")" >"$KEPT/$1.sql"
}

repair() { # DOMAIN
  local root
  root=$(root_of "$1")
  rm -rf "$root"
  if [[ $root == "/var/www/$1"/* ]]; then
    rm -rf "/var/www/$1"
  fi
  mkdir -p "$root"
  tar -xpf "$KEPT/$1.tar" -C "$root"
  ! has_database "$1" || mariadb <"$KEPT/$1.sql"
  forget_pages
  find "$BACKUPS" \( -path "*/$1/*" -o -name "domain_$1_*" -o -name 'all_domains_*' \) -type f -delete
}

page() { # DOMAIN
  curl --silent --insecure --location --max-time 10 --write-out '\n%{http_code}\n' \
    --resolve "$1:80:127.0.0.1" --resolve "$1:443:127.0.0.1" "http://$1/" | tr -s '\n' ' '
}

digest() { # DOMAIN PART
  local root
  root=$(root_of "$1")
  case $2 in
    files)
      (cd "$root" && find . -printf '%P %y %U:%G %l\n' | LC_ALL=C sort &&
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) | sha256sum
      ;;
    # `files.permissions` is "standard": a file's execute bits go. (Digits of its name change as well, each time alike.)
    modes)
      (cd "$root" && { find . ! -type f -printf '%P %m\n' && find . -type f -printf '%P %m\n' | tr 7531 6420; } | LC_ALL=C sort | sha256sum)
      ;;
    database)
      # A table of the damaged site may stay: a smart backup does not claim to hold them all.
      ! has_database "$1" || mariadb-dump --skip-comments --skip-dump-date --order-by-primary --routines --triggers \
        --ignore-table="$(schema_of "$1").wp_junk" "$(schema_of "$1")" | sha256sum
      ;;
    # The folder above the root is the administrator's.
    owner) stat -c '%U:%G %a' "$(dirname "$root")" ;;
    *) fail "what is $2?" ;;
  esac
}

strays() {
  mariadb --batch --skip-column-names -e "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'rv\\_%'
    UNION SELECT user FROM mysql.user WHERE user LIKE 'rv\\_%'"
}

(($# > 0)) || fail 'what is to be done?'
case $1 in
  site) make_site "${@:2}" ;;
  adopt) adopt_site "${@:2}" ;;
  backup) "backup_$3" "$2" ;;
  damage | live | grow | repair | page | digest | strays) "$@" ;;
  *) fail "what is $1?" ;;
esac
