#!/usr/bin/env bash
# A small world with backups, the broker on it, and the panel page on an nginx and a PHP-FPM of its own, as www-data.
#   stage.sh up DIR [RULES]   make it and start it; DIR/env names its parts. RULES replaces the rules of access.toml
#   stage.sh down DIR         end everything by process id, and delete DIR
# STAGE_PROGRAM=… is the helper, STAGE_FILES=… the number of small files that make a restore long enough to be watched,
# STAGE_SHARE=… an installed PREFIX/share instead of the project's files,
# STAGE_SETTINGS=… the file that says who asks. Run as root.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
world=$project/tests/harness/world.sh

# shellcheck source=/dev/null
source "$project/tests/harness/world/services.bash"

fail() { # MESSAGE
  printf 'stage: %s\n' "$1" >&2
  exit 1
}

alone() { # PROGRAM ARGUMENT...
  setsid "$@" </dev/null >>"$stage/log" 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
}

wait_for() { # WHAT COMMAND...
  local tries=400 what=$1
  shift
  while ! "$@" >/dev/null 2>&1; do
    ((tries-- > 0)) || fail "$what did not come up: $(tail -n 3 "$stage/log")"
    sleep 0.05
  done
}

# Names that a tenant can give to his files.
hostile_names() {
  local uploads=$1/wp-content/uploads number
  mkdir -p "$uploads/names"
  printf 'x' >"$uploads/names/<img src=x onerror=alert(1)>"
  printf 'x' >"$uploads/names/"$'"><script>alert(2)<\u2044script>'
  printf 'x' >"$uploads/names/invoice"$'\u202e'"fdp.exe"
  printf 'x' >"$uploads/names/two"$'\n'"lines.txt"
  mkdir -p "$uploads/names/100% of it? & more"
  printf 'x' >"$uploads/names/100% of it? & more/a.txt"
  mkdir -p "$uploads/many"
  for ((number = 1; number <= ${STAGE_FILES:-20000}; number++)); do printf '%s' "$number" >"$uploads/many/picture-$number.jpg"; done
  chown -R www-data:www-data "$uploads/names" "$uploads/many"
}

# A folder that root alone may write to, up to /: the page asks no broker elsewhere.
socket_of() {
  printf '/run/rv-panel-%s.sock\n' "$(sha256sum <<<"$stage" | cut -c 1-12)"
}

start_broker() {
  install -m 0755 "${STAGE_PROGRAM:?}" "$stage/w/run/rocketvps-restore"
  sed -i "/^\[paths\]/a broker = \"$(socket_of)\"" "$stage/w/restore.toml"
  mkdir -p "$stage/w/base/config"
  if [[ -n ${1:-} ]]; then
    cp "$1" "$stage/w/base/config/access.toml"
  else
    printf '[[rule]]\nuser = "www-data"\ndomains = ["*"]\ncalls = ["*"]\n' >"$stage/w/base/config/access.toml"
  fi
  chmod 0600 "$stage/w/base/config/access.toml"
  alone "$stage/w/run/rocketvps-restore" --config "$stage/w/restore.toml" serve
  printf '%s\n' "$!" >"$stage/broker.pid"
  wait_for 'the broker' test -S "$(socket_of)"
}

start_page() {
  local fpm
  fpm=$(php_fpm_program)
  # As `make install` lays it, where www-data can read it.
  mkdir -p "$stage/share/php/RocketVps" "$stage/share/rocketvps-restore"
  if [[ -n ${STAGE_SHARE:-} ]]; then
    cp -rL "$STAGE_SHARE/php/RocketVps/Restore" "$stage/share/php/RocketVps/"
    cp -rL "$STAGE_SHARE/rocketvps-restore/panel" "$stage/share/rocketvps-restore/"
  else
    cp -rL "$project/bindings/php/src" "$stage/share/php/RocketVps/Restore"
    cp -rL "$project/panel" "$stage/share/rocketvps-restore/"
  fi
  mkdir -p "$stage/sessions" "$stage/tmp"
  chown www-data:www-data "$stage/sessions" "$stage/tmp"
  chmod 0700 "$stage/sessions" "$stage/tmp"
  cp "${STAGE_SETTINGS:-$here/settings.php}" "$stage/settings.php"
  port=${STAGE_PORT:-$(free_port $((30000 + RANDOM % 2000)))}
  cat >"$stage/fpm.conf" <<CONF
[global]
pid = $stage/fpm.pid
error_log = $stage/fpm.log
[panel]
user = www-data
group = www-data
listen = $stage/fpm.sock
listen.owner = www-data
pm = static
pm.max_children = 6
catch_workers_output = yes
php_admin_value[session.save_path] = $stage/sessions
php_admin_value[sys_temp_dir] = $stage/tmp
php_admin_value[error_log] = $stage/php.log
php_admin_value[error_reporting] = -1
php_admin_flag[log_errors] = on
php_admin_flag[display_errors] = off
CONF
  touch "$stage/php.log"
  chown www-data "$stage/php.log"
  cat >"$stage/nginx.conf" <<CONF
user www-data;
worker_processes 1;
pid $stage/nginx.pid;
error_log $stage/nginx.log;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path $stage/nginx-body;
  fastcgi_temp_path $stage/nginx-fastcgi;
  proxy_temp_path $stage/nginx-proxy;
  uwsgi_temp_path $stage/nginx-uwsgi;
  scgi_temp_path $stage/nginx-scgi;
  server {
    listen 127.0.0.1:$port;
    location / {
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME $stage/share/rocketvps-restore/panel/public/index.php;
      fastcgi_param SCRIPT_NAME /index.php;
      fastcgi_param HTTPS \$http_x_test_https if_not_empty;
      fastcgi_param RV_PANEL_SETTINGS $stage/settings.php;
      fastcgi_param RV_PANEL_SOCKET $(socket_of);
      fastcgi_pass unix:$stage/fpm.sock;
      fastcgi_read_timeout 60s;
    }
  }
}
CONF
  alone "$fpm" --nodaemonize --fpm-config "$stage/fpm.conf"
  wait_for PHP-FPM test -S "$stage/fpm.sock" -a -s "$stage/fpm.pid"
  alone nginx -p "$stage/" -c "$stage/nginx.conf"
  wait_for nginx curl -s -o /dev/null "http://127.0.0.1:$port/"
}

command_up() {
  ((EUID == 0)) || fail 'run it as root'
  mkdir -p "$stage"
  chmod 0711 "$stage"
  "$world" up "$stage/w" --site "${STAGE_SITE:-small}" >"$stage/world"
  # shellcheck source=/dev/null
  source "$stage/w/env"
  "$world" backup "$stage/w" --stamp 20251001_030000 >/dev/null
  hostile_names "$WORLD_ROOT"
  "$world" backup "$stage/w" --stamp 20251004_030000 >/dev/null
  "$world" digest "$stage/w" >"$stage/good"
  # One that is cut off.
  head -c 300000 "$WORLD_BACKUPS"/*20251001_030000*.tar.gz >"$WORLD_BACKUPS/backup_20250928_030000.tar.gz"
  "$world" damage "$stage/w"
  "$world" digest "$stage/w" >"$stage/damaged"
  start_broker "${1:-}"
  start_page
  {
    cat "$stage/w/env"
    printf 'STAGE=%q\nPANEL_URL=%q\n' "$stage" "http://127.0.0.1:$port/"
  } >"$stage/env"
  cat "$stage/env"
}

end_process() { # PIDFILE
  local pid tries=500
  pid=$(cat "$1" 2>/dev/null) || return 0
  [[ $pid =~ ^[0-9]+$ ]] || return 0
  if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$stage/"; then
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null && ((tries-- > 0)); do sleep 0.02; done
    kill -KILL "$pid" 2>/dev/null || true
  fi
}

command_down() {
  local pidfile
  for pidfile in "$stage"/nginx.pid "$stage"/fpm.pid "$stage"/broker.pid; do end_process "$pidfile"; done
  "$world" down "$stage/w" >/dev/null 2>&1 || true
  rm -f "$(socket_of)"
  rm -rf "$stage"
}

stage=$(realpath -m "${2:?}")
case ${1:-} in
  up) command_up "${3:-}" ;;
  down) command_down ;;
  *) fail 'up or down?' ;;
esac
