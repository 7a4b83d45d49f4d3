# What systemd does around a restore: scopes, stopped units, restarted services, sandboxes, the recovery unit.
# shellcheck shell=bash source=tests/field/steps.sh disable=SC2016  # scripts for the machine have variables of their own

worker_of() { # JOB: its process id
  m pgrep --full "rocketvps-restore worker .*restore_jobs/$1" | tail -n 1
}

fpm_unit() {
  m sh -c 'systemctl list-unit-files --no-legend "php*-fpm.service" | cut -d " " -f 1'
}

fresh_damage() { # NAME; sets good and damaged
  check "$1: the site is ready" kit repair desk.example || return
  good=$(state desk.example files)
  check "$1: it is backed up" kit backup desk.example smart || return
  check "$1: it is damaged" kit damage desk.example files || return
  damaged=$(state desk.example files)
}

# Files alone: what systemd does to a restore does not hang on the dump.
begin() { # STATE; sets job
  [[ $1 != checking ]] || msh 'echo 4 >/run/slow'
  job=$(rv restore desk.example --latest --only files --yes --detach --field job) && reaches "$job" "$1"
}

ended_as() { # STATE JOB
  within 90 job_has_ended "$2"
  msh 'rm -f /run/slow'
  equal "$1" "$(job_state "$2")"
}

# --- cases ---------------------------------------------------------------------------------------------------------------

in_a_scope() {
  local name='a worker' job=
  fresh_damage "$name" || return
  check "$name: it works" begin checking
  check "$name: it has a scope of its own" contains "$(m cat "/proc/$(worker_of "$job")/cgroup")" .scope
  check "$name: it ends well" ended_as "done" "$job"
  check "$name: its scope is gone" within 10 fails msh 'systemctl list-units --no-legend --all "run-*.scope" | grep .'
}

# A panel's unit starts a restore and is stopped meanwhile.
outlives_its_unit() {
  local name='a stopped unit' job=
  fresh_damage "$name" || return
  msh 'echo 4 >/run/slow'
  check "$name: it starts a restore" m systemd-run --quiet --unit=panel --property=Type=exec --property=StandardOutput=file:/root/job \
    sh -c 'rocketvps-restore restore desk.example --latest --only files --yes --detach --field job && exec sleep 600'
  within 20 msh 'test -s /root/job'
  job=$(m cat /root/job)
  check "$name: the restore works" reaches "$job" checking
  check "$name: the unit is stopped" m systemctl stop panel
  check "$name: the restore ends well" ended_as "done" "$job"
  check "$name: files are the saved ones" stands desk.example "$good"
}

# Services that are restarted in the middle, as unattended upgrades do.
restarted() { # UNIT STATE
  local name="restart of $1 while $2" job=
  fresh_damage "$name" || return
  check "$name: the moment comes" begin "$2"
  check "$name: it is restarted" m systemctl restart "$1"
  within 90 job_has_ended "$job"
  msh 'rm -f /run/slow'
  check "$name: the restore ends well or goes back" contains ' done rolled_back failed ' " $(job_state "$job") "
  if [[ $(job_state "$job") == "done" ]]; then
    check "$name: files are the saved ones" stands desk.example "$good"
  else
    check "$name: files are those of before" stands desk.example "$damaged"
  fi
  check "$name: the site answers" within 10 sees desk.example 'desk.example as it was'
}

# A unit of PHP-FPM that sees most of the machine read-only, as hardened servers have it.
sandboxed() { # NAME LINE...
  local name="PHP-FPM with $1" unit
  unit=$(fpm_unit)
  m mkdir -p "/etc/systemd/system/$unit.d"
  {
    printf '[Service]\n'
    printf '%s\n' "${@:2}"
  } >"$MACHINE/etc/systemd/system/$unit.d/sandbox.conf"
  # Started so often within ten seconds, systemd would let it lie.
  msh 'systemctl daemon-reload && systemctl reset-failed "$1" && systemctl restart "$1"' "$unit"
  fresh_damage "$name" || return
  check "$name: restore" rv restore desk.example --latest --only files --yes
  check "$name: files are the saved ones" stands desk.example "$good"
  check "$name: PHP-FPM sees the saved files" within 5 fails sees desk.example defaced
  check "$name: visitors see a page" sees desk.example 'desk.example as it was'
  check "$name: rollback" rv rollback desk.example --yes
  check "$name: PHP-FPM sees the files of before" within 5 sees desk.example defaced
  msh 'rm -r "/etc/systemd/system/$1.d" && systemctl daemon-reload && systemctl restart "$1"' "$unit"
}

# A worker is killed; the recovery unit undoes its work, and whoever is still ending is left to end.
recovery_unit() {
  local name='the recovery unit' job=
  fresh_damage "$name" || return
  check "$name: a restore works" begin checking
  m kill -KILL "$(worker_of "$job")"
  check "$name: it runs" m systemctl start rocketvps-restore-recover
  check "$name: it ends well" equal success "$(m systemctl show --property=Result --value rocketvps-restore-recover)"
  check "$name: it leaves the way of killing alone" fails msh 'journalctl --boot --unit rocketvps-restore-recover | grep -iE "kill|sigterm|left-over"'
  msh 'rm -f /run/slow'
  check "$name: the job is finished or undone" job_has_ended "$job"
  check "$name: the site answers" within 10 sees desk.example 'desk.example as it was'
  check "$name: a new restore goes through" rv restore desk.example --latest --only files --yes
  check "$name: files are the saved ones" stands desk.example "$good"
}

reload_by_systemd() {
  local name='a restored configuration' site=old.example before
  check "$name: the site is made" make_site "$site" || return
  before=$(m systemctl show --property=ExecMainPID --value nginx)
  check "$name: it is backed up" kit backup "$site" design || return
  m sed -i 's/index index.php/index nothing.php/' "/etc/nginx/sites-available/$site"
  check "$name: restore" rv restore "$site" --latest --only files,config --yes || return
  check "$name: the saved file is in place" m grep -q 'index index.php' "/etc/nginx/sites-available/$site"
  check "$name: visitors see a page" sees "$site" "$site as it was"
  check "$name: nginx was reloaded, not restarted" equal "$before" "$(m systemctl show --property=ExecMainPID --value nginx)"
  check "$name: systemd did it" contains "$(m journalctl --boot --unit nginx)" Reload
}

# A service that is down when the way back needs it is systemd's afterwards, not a process beside it.
started_by_systemd() {
  local name='a stopped PHP-FPM' unit
  unit=$(fpm_unit)
  fresh_damage "$name" || return
  check "$name: restore" rv restore desk.example --latest --only files --yes || return
  m systemctl stop "$unit"
  check "$name: rollback" rv rollback desk.example --yes
  check "$name: its unit is active" equal active "$(m systemctl is-active "$unit")"
  check "$name: the site answers" within 5 sees desk.example 'desk.example as it was'
}

# What runs the site's code beside PHP-FPM has read it once, and goes on with the old one until it is started anew.
workers_restart() {
  local name='a unit of the site' root=/var/www/desk.example/public_html owner before config=$MACHINE/opt/rocketvps/config/restore.toml
  check "$name: the site is ready" kit repair desk.example || return
  owner=$(m stat --format %U "$root")
  printf 'echo "the saved code as $(id -un)"\nexec sleep 3600\n' >"$MACHINE$root/worker.sh"
  unit_of_site desk-queue "$owner" && unit_of_site desk-watch root && unit_of_site desk-told root
  cp -p "$config" "$config.untold"
  printf '\n[sites."desk.example"]\nworkers = ["systemd:desk-told", "systemd:desk-gone"]\n' >>"$config"
  check "$name: it is backed up" kit backup desk.example smart || return
  printf 'echo "the code of an intruder"\nexec sleep 3600\n' >"$MACHINE$root/worker.sh"
  check "$name: it runs other code" m systemctl restart desk-queue
  check "$name: that is seen" within 5 runs_code_of_before
  before=$(m systemctl show --property=ExecMainPID --value desk-watch)
  check "$name: restore" rv restore desk.example --latest --only files --yes || return
  check "$name: it runs the saved code as the site's account" within 5 runs_saved_code "$owner"
  check "$name: so does one that restore.toml names" within 5 runs_saved_code root desk-told
  check "$name: one that is not there is said" contains "$(rv validate desk.example --latest)" 'desk-gone.service will not be restarted'
  check "$name: a unit of root's is left alone" equal "$before" "$(m systemctl show --property=ExecMainPID --value desk-watch)"
  check "$name: rollback" rv rollback desk.example --yes
  check "$name: it runs the code of before" within 5 runs_code_of_before
  check "$name: so does the one that restore.toml names" within 5 runs_code_of_before desk-told
  mv "$config.untold" "$config"
  msh 'systemctl stop desk-queue desk-watch desk-told && rm /etc/systemd/system/desk-{queue,watch,told}.service && systemctl daemon-reload'
}

unit_of_site() { # NAME USER
  printf '[Service]\nUser=%s\nWorkingDirectory=%s\nExecStart=/bin/sh %s/worker.sh\n' "$2" "$root" "$root" \
    >"$MACHINE/etc/systemd/system/$1.service"
  m systemctl daemon-reload
  m systemctl start "$1"
}

said_by() { # UNIT: its last line
  m journalctl --boot --unit "$1" --output=cat --identifier=sh --lines=1
}

runs_saved_code() { # ACCOUNT [UNIT]
  [[ $(said_by "${2:-desk-queue}") == "the saved code as $1" ]]
}

runs_code_of_before() { # [UNIT]
  [[ $(said_by "${1:-desk-queue}") == 'the code of an intruder' ]]
}

# The broker is stopped while a restore that it began is at work.
broker_stops() {
  local name='a stopped broker' job=
  opens_to_panels desk.example || return
  fresh_damage "$name" || return
  msh 'echo 4 >/run/slow'
  check "$name: www-data starts a restore" begins_as_panel || return
  check "$name: the restore works" reaches "$job" checking
  check "$name: it is stopped" m systemctl stop rocketvps-restore.service
  check "$name: the restore ends well" ended_as "done" "$job"
  check "$name: files are the saved ones" stands desk.example "$good"
  check "$name: it answers again" contains "$(panel status "$job" --field state)" "done"
}

begins_as_panel() {
  job=$(panel restore desk.example --latest --only files --yes --detach --field job)
}

install_packages
check 'systemd: a site is made' make_site desk.example
in_a_scope
outlives_its_unit
restarted nginx checking
restarted "$(fpm_unit)" checking
broker_stops
recovery_unit
reload_by_systemd
started_by_systemd
workers_restart
sandboxed 'ProtectSystem=full' ProtectSystem=full ProtectHome=yes PrivateTmp=yes NoNewPrivileges=yes
sandboxed 'ProtectSystem=strict' ProtectSystem=strict 'ReadWritePaths=/var/www /run/php /var/log' PrivateTmp=yes
sandboxed 'the root as ReadWritePaths' ProtectSystem=strict 'ReadWritePaths=/var/www/desk.example/public_html /run/php /var/log' PrivateTmp=yes
check 'systemd: a large site' kit grow desk.example
restarted mariadb staging
restarted nginx staging
