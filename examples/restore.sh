#!/usr/bin/env bash
# Restores the newest backup of a domain as a job and waits for it, as root or through the broker: restore.sh DOMAIN [OPTION...]
# The options are the helper's, such as --config FILE. A rule of access.toml has to allow validate, restore_start and restore_poll.
set -euo pipefail
domain=${1:?restore.sh DOMAIN [OPTION...]}
helper=(rocketvps-restore "${@:2}")

# What it would do, and whether anything stands in its way; nothing is changed by it.
"${helper[@]}" validate "$domain" --latest --field outcome

job=$("${helper[@]}" restore "$domain" --latest --yes --detach --field job)
printf 'job %s; it goes on without this script\n' "$job"
until state=$("${helper[@]}" status "$job" --field state) && [[ $state =~ ^(done|failed|rolled_back|needs_operator)$ ]]; do
  "${helper[@]}" status "$job" --field 'state,percent|percent'
  sleep 0.5
done
# The exit status is the number of the job's error; 0 where it is done.
"${helper[@]}" wait "$job" --field 'files.files|count'
