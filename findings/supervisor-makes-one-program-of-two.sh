#!/usr/bin/env bash
# Debian 13, supervisor 4.2.5-3: two sites with a program of the same name have one worker, and it has something of each.
#
# Guess: a second file in conf.d with a [program:laravel-worker] of its own is refused, or the first one wins, with a word.
# Seen: Laravel's manual calls the program `laravel-worker`, and so do the sites. When the file of a second site is put beside the first,
# `reread` says "laravel-worker: changed" and `update` that it is updated, both with status 0. The worker of the first site is stopped for good; the
# one that runs has the command and the folder of the second, and whatever only the first one says: its user, and its environment with the
# name of its database. The jobs of the first site wait, and those of the second are done with the settings of the first.
#
# Root, debootstrap, a network for packages; a chroot of trixie, a third of a GB. Fails when the behaviour, or a version, is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
root=$place/root
server=
# shellcheck disable=SC2317 # The trap calls it.
end() {
  if [[ -n $server ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf --one-file-system "$place"
}
trap end EXIT

debootstrap --variant=minbase trixie "$root" "${MIRROR:-http://deb.debian.org/debian}" >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
  supervisor=4.2.5-3 procps \
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

site() { # NAME LINE...
  printf '%s\n' '[program:laravel-worker]' "directory=/srv/$1" "command=/bin/sh -c 'echo $1: in \$PWD as \$(id -un) with \$DB_DATABASE; exec sleep 600'" \
    "stdout_logfile=/srv/$1/worker.log" "${@:2}" >"$root/etc/supervisor/conf.d/$1.conf"
}
control() { # VERB; what it says, and its status
  local status=0
  chroot "$root" supervisorctl "$1" 2>&1 || status=$?
  echo "status $status"
}
running() {
  chroot "$root" supervisorctl status 2>&1 | awk '{ print $1, $2 }'
}
wait_for() { # FILE
  local try
  for ((try = 0; try < 100; try++)); do
    [[ ! -s $root/srv/$1/worker.log ]] || return 0
    sleep 0.1
  done
}
mkdir -p "$root/srv/first" "$root/srv/second"
site first user=www-data 'environment=DB_DATABASE="first"'
chroot "$root" supervisord --nodaemon --configuration /etc/supervisor/supervisord.conf >"$place/log" 2>&1 &
server=$!
wait_for first
expect 'the worker of the first site' 'first: in /srv/first as www-data with first' "$(cat "$root/srv/first/worker.log")"

site second
expect 'reread' 'laravel-worker: changed status 0' "$(control reread | tr '\n' ' ' | sed 's/ $//')"
expect 'update' 'laravel-worker: stopped laravel-worker: updated process group status 0' "$(control update | tr '\n' ' ' | sed 's/ $//')"
wait_for second
sleep 1.5
expect 'what runs' 'laravel-worker RUNNING' "$(running)"
expect 'the worker of the second site' 'second: in /srv/second as www-data with first' "$(cat "$root/srv/second/worker.log")"
expect 'workers of the first site started since' 1 "$(wc -l <"$root/srv/first/worker.log")"
exit "$failed"
