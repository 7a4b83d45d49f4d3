#!/usr/bin/env bash
# Debian 13, nginx 1.26.3-3+deb13u10: the test is passed, the reload ends with 0, and the old configuration of every site stays.
#
# Guess: what `nginx -t` takes, a reload takes.
# Seen: the test compares nothing with what runs. A zone of shared memory keeps its name and gets another key (limit_req_zone) or another folder
# (fastcgi_cache_path), as when a site's configuration of an older day is put back: the master refuses it, in its own log alone, and goes on
# with the old one. `nginx -s reload`, which is what the unit's ExecReload runs, has ended with 0 by then. Every later change of any site
# waits likewise, until somebody restarts nginx or reads the log.
#
# Root, debootstrap, a network for packages; a chroot of trixie, a third of a GB. Fails when the behaviour, or a version, is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
root=$place/root
# shellcheck disable=SC2317 # The trap calls it.
end() {
  [[ ! -s $root/srv/pid ]] || kill "$(<"$root/srv/pid")" 2>/dev/null || true
  rm -rf --one-file-system "$place"
}
trap end EXIT

debootstrap --variant=minbase trixie "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
  nginx-light=1.26.3-3+deb13u10 curl \
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

configure() { # KEY CACHE-FOLDER SAYING
  mkdir -p "$root/srv/$2"
  printf '%s\n' 'pid /srv/pid; error_log /srv/log; events {}' "http { access_log off; limit_req_zone $1 zone=login:1m rate=1r/s;" \
    "fastcgi_cache_path /srv/$2 keys_zone=pages:1m; server { listen unix:/srv/socket; return 200 '$3'; } }" >"$root/srv/nginx.conf"
}
status() { # ARGUMENT...
  local status=0
  chroot "$root" nginx -c /srv/nginx.conf "$@" >"$place/said" 2>&1 || status=$?
  printf '%d' "$status"
}
page() {
  # What it answers once the reload has been carried out.
  sleep 1
  chroot "$root" curl --silent --unix-socket /srv/socket http://shop/
}
reload() { # WHAT SAYING-AFTERWARDS
  expect "$1: the test" 0 "$(status -t)"
  expect "$1: the reload" 0 "$(status -s reload)"
  expect "$1: the page" "$2" "$(page)"
}
# shellcheck disable=SC2016 # nginx's own variables, in all of these.
configure '$binary_remote_addr' cache first
expect 'the start' 0 "$(status)"
expect 'the page' first "$(page)"
# shellcheck disable=SC2016
configure '$binary_remote_addr' cache second
reload 'another page' second
# shellcheck disable=SC2016
configure '$server_name' cache third
reload 'another key of a zone' second
expect 'its log' 1 "$(grep -c 'limit_req "login" uses the' "$root/srv/log")"
# shellcheck disable=SC2016
configure '$binary_remote_addr' cache.old fourth
reload 'another folder of a cache' second
expect 'its log' 1 "$(grep -c 'cache "pages" uses the' "$root/srv/log")"
exit "$failed"
