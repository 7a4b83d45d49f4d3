# Whole ways that more than one suite goes: a restore there and back, a power cut in the middle of one.
# shellcheck shell=bash source=tests/field/lib.sh

# --- there and back ------------------------------------------------------------------------------------------------------

restores() { # DOMAIN FORM
  local domain=$1 name="$1, $2 backup" what good modes owner damaged parts=(files database)
  # A form that holds no database leaves the live one alone.
  [[ $2 != domain && $2 != all ]] || parts=(files)
  if [[ $2 == incremental ]]; then
    check "$name: it is backed up before" kit backup "$domain" smart || return
    check "$name: the site lives on" kit live "$domain" || return
  fi
  good=$(state "$domain" "${parts[@]}")
  modes=$(kit digest "$domain" modes)
  owner=$(kit digest "$domain" owner)
  check "$name: it is backed up" kit backup "$domain" "$2" || return
  # Of all domains' backups none is the latest of one of them.
  what=--latest
  [[ $2 != all ]] || what=$(msh 'ls /opt/rocketvps/backups/all_domains_*.tar.gz')
  check "$name: it is damaged" kit damage "$domain" "${parts[@]}" || return
  damaged=$(state "$domain" files database)

  if ! check "$name: restore" rv restore "$domain" "$what" --yes; then
    check "$name: after a refusal the site is as it was" stands "$domain" "$damaged"
    return
  fi
  check "$name: visitors see the saved page" sees "$domain" "$domain as it was saved"
  check "$name: visitors see nothing of the damage" fails sees "$domain" defaced
  check "$name: files and tables are the saved ones" stands "$domain" "$good"
  check "$name: modes are the saved ones" equal "$modes" "$(kit digest "$domain" modes)"
  check "$name: the site's folder keeps its owner" equal "$owner" "$(kit digest "$domain" owner)"
  check "$name: nothing is left lying about" equal '' "$(kit strays)"
  check "$name: rollback" rv rollback "$domain" --yes || return
  check "$name: files and tables are those of before" stands "$domain" "$damaged"
}

# --- a power cut ---------------------------------------------------------------------------------------------------------

# What makes the moment long enough to be met.
linger() { # MOMENT
  case $1 in
    # A reader's lock on a table keeps the change-over waiting.
    committing) msh 'mariadb desk_example -e "LOCK TABLES wp_options READ; SELECT SLEEP(60)" >/dev/null 2>&1 </dev/null & sleep 0.3' ;;
    checking) msh 'echo 5 >/run/slow' ;;
  esac
}

recovered() {
  local state
  state=$(m systemctl show --property=ActiveState,Result --value rocketvps-restore-recover) && [[ $state == success$'\n'inactive || $state == inactive$'\n'success ]]
}

unfinished() {
  rv jobs --tsv jobs:job,state | grep -vE $'\t(done|failed|rolled_back)$'
}

# Files and tables on the same side, and which.
side() { # GOOD DAMAGED
  local now
  now=$(state desk.example files database)
  case $now in
    "$1") echo new ;;
    "$2") echo old ;;
    *) printf 'neither side: %s\n' "$now" && return 1 ;;
  esac
}

no_killing() {
  fails m sh -c "journalctl --boot --unit rocketvps-restore-recover | grep -i 'kill'"
}

# Only what a snapshot names is kept beside the sites.
nothing_staged() {
  local kept named name
  kept=$(m sh -c 'ls -A /var/www/.rocketvps-restore 2>/dev/null')
  named=$(m sh -c 'cat /opt/rocketvps/snapshots/*/*/manifest.json 2>/dev/null')
  while IFS= read -r name; do
    [[ -z $name || $named == *"$name"* ]] || { printf '%s is named by no snapshot\n' "$name" && return 1; }
  done <<<"$kept"
}

cuts() { # MOMENT
  local name="power cut while $1" good damaged job which
  check "$name: the site is ready" kit repair desk.example || return
  good=$(state desk.example files database)
  check "$name: it is backed up" kit backup desk.example smart || return
  check "$name: it is damaged" kit damage desk.example || return
  damaged=$(state desk.example files database)
  linger "$1"
  job=$(rv restore desk.example --latest --yes --detach --field job)
  check "$name: the moment comes" reaches "$job" "$1" || return
  machine cut
  check "$name: the machine boots" machine boot || return
  check "$name: the recovery unit has done its work" within 60 recovered
  check "$name: it killed nothing" no_killing
  check "$name: no job is unfinished" fails unfinished
  check "$name: files and tables are on the same side" side "$good" "$damaged"
  which=$(side "$good" "$damaged")
  # A restore that was not yet committed is undone.
  [[ $1 != staging ]] || check "$name: the site is as it was" equal old "$which"
  if [[ $which == new ]]; then
    check "$name: visitors see the saved page" sees desk.example 'as it was saved'
  else
    check "$name: visitors see the page of before" sees desk.example 'as it was damaged'
  fi
  check "$name: no schema or account is left" equal '' "$(kit strays)"
  check "$name: no staged tree is left" nothing_staged
  check "$name: the restore goes through now" rv restore desk.example --latest --yes
  check "$name: files and tables are the saved ones" stands desk.example "$good"
}

# --- through the broker --------------------------------------------------------------------------------------------------

panel() { # ARGUMENT...: the helper as the user that pages run as
  m setpriv --reuid=www-data --regid=www-data --clear-groups rocketvps-restore "$@"
}

# systemd starts the broker when somebody asks, and nobody may anything before there is a rule.
opens_to_panels() { # DOMAIN
  check 'broker: its socket is enabled' m systemctl enable --quiet --now rocketvps-restore.socket || return
  check 'broker: without rules nobody is let in' contains "$(panel list "$1" 2>&1)" access.toml
  # shellcheck disable=SC2016  # the machine's own variable
  msh 'printf "[[rule]]\nuser = \"www-data\"\ndomains = [\"%s\"]\ncalls = [\"*\"]\n" "$1" >/opt/rocketvps/config/access.toml' "$1"
}

panel_restores() { # DOMAIN
  local name="broker: $1" good damaged parts=(files database)
  check "$name: the site is ready" kit repair "$1" || return
  good=$(state "$1" "${parts[@]}")
  check "$name: it is backed up" kit backup "$1" smart || return
  check "$name: it is damaged" kit damage "$1" "${parts[@]}" || return
  damaged=$(state "$1" "${parts[@]}")
  check "$name: www-data restores it" panel restore "$1" --latest --yes || return
  check "$name: files and tables are the saved ones" stands "$1" "$good"
  check "$name: www-data goes back" panel rollback "$1" --yes
  check "$name: files and tables are those of before" stands "$1" "$damaged"
  check "$name: a neighbour's site is not www-data's" fails panel list neighbour.example
  check "$name: it is written down" contains "$(rv audit "$1")" 'restore_start'
}

# --- drills --------------------------------------------------------------------------------------------------------------

METRICS=/var/lib/prometheus/node-exporter/rocketvps_restore.prom

# systemd starts the drills of all domains, and says so where one of them has no backup.
drills() { # DOMAIN=WORDS...: all that have a site here, and what their drills say
  local domain said before=()
  for domain; do before+=("$(state "${domain%%=*}" files database)"); done
  check 'drills: their timer is off until it is enabled' equal disabled "$(m systemctl is-enabled rocketvps-restore-drill.timer)"
  check 'drills: it can be enabled' m systemctl enable --quiet --now rocketvps-restore-drill.timer
  check 'drills: it has a next time' contains "$(m systemctl list-timers --no-pager)" rocketvps-restore-drill
  check 'drills: the folder of metrics is made' m mkdir -p "${METRICS%/*}"
  check 'drills: systemd runs them' m systemctl start rocketvps-restore-drill.service
  for said; do
    domain=${said%%=*}
    check "drills: $domain is known" contains "$(rv drills "$domain")" "${said#*=}"
    check "drills: $domain is measured" contains "$(m cat "$METRICS")" "rocketvps_restore_drill_success{domain=\"$domain\"} 1"
    check "drills: $domain is as it was" equal "${before[0]}" "$(state "$domain" files database)"
    before=("${before[@]:1}")
  done
  check 'drills: nothing is left of them' nothing_staged
  check 'drills: no schema or account is left' equal '' "$(kit strays)"
  check 'drills: a domain without a backup comes' m mkdir -p /var/www/new.example
  check 'drills: the unit fails then' fails m systemctl start rocketvps-restore-drill.service
  check 'drills: it is said which' contains "$(m journalctl --no-pager -u rocketvps-restore-drill)" 'backup_not_found: new.example'
  check 'drills: it is measured' contains "$(m cat "$METRICS")" 'rocketvps_restore_drill_success{domain="new.example"} 0'
  m rmdir /var/www/new.example
  m systemctl disable --quiet --now rocketvps-restore-drill.timer
}
