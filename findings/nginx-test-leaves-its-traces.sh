#!/usr/bin/env bash
# Debian 13, nginx 1.26.3-3+deb13u10: `nginx -t` makes folders, logs and an empty pid file, also where the test fails.
#
# Guess: a test reads the configuration and changes nothing.
# Seen: the test makes what the configuration names, as a start would: the folder of every fastcgi_cache_path (the worker's, mode 0700), every log
# file (root's), and the pid file, empty, where nginx does not run. A test that fails on a log has made the rest by then. So a trial of a
# restored site that is given up leaves it behind, and who asks for /run/nginx.pid to know whether nginx runs hears yes. `nginx -s reload` then says
# "invalid PID number", where it named the missing file before.
#
# Root, debootstrap, a network for packages; a chroot of trixie, a third of a GB. Fails when the behaviour, or a version, is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
root=$place/root
trap 'rm -rf --one-file-system "$place"' EXIT

debootstrap --variant=minbase trixie "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
  nginx-light=1.26.3-3+deb13u10 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

mkdir -p "$root/srv/logs"
configure() { # LOG-FOLDER
  printf '%s\n' 'user www-data; pid /srv/nginx.pid; error_log /srv/logs/main; events {}' \
    "http { access_log /srv/logs/shop.access; fastcgi_cache_path /srv/pages keys_zone=pages:1m; server { listen unix:/srv/socket;
    error_log /srv/$1/shop.error; } }" >"$root/srv/nginx.conf"
}
nginx() { # ARGUMENT...; its status
  local status=0
  chroot "$root" nginx -c /srv/nginx.conf "$@" >"$place/said" 2>&1 || status=$?
  printf '%d' "$status"
}
traces() {
  (cd "$root/srv" && find . -mindepth 1 ! -path ./nginx.conf ! -path ./logs | LC_ALL=C sort | tr '\n' ' ')
}
clear_away() {
  rm -rf "$root/srv/pages" "$root/srv/nginx.pid" "$root"/srv/logs/*
}
configure logs
expect 'a reload, before' 1 "$(nginx -s reload)"
expect 'what it says' 'No such file or directory' "$(grep -o 'No such file or directory' "$place/said")"
clear_away
expect 'the test' 0 "$(nginx -t)"
expect 'what there is then' './logs/main ./logs/shop.access ./logs/shop.error ./nginx.pid ./pages ' "$(traces)"
expect 'the folder of the cache' 'www-data 700' "$(chroot "$root" stat -c '%U %a' /srv/pages)"
expect 'the pid file' 0 "$(stat -c %s "$root/srv/nginx.pid")"
expect 'a reload, after' 1 "$(nginx -s reload)"
expect 'what it says' 'invalid PID number ""' "$(grep -o 'invalid PID number ""' "$place/said")"
clear_away
configure none
expect 'a test that fails' 1 "$(nginx -t)"
expect 'what there is then' yes "$([[ -d $root/srv/pages && -e $root/srv/nginx.pid ]] && echo yes || echo no)"
exit "$failed"
