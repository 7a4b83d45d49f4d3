# Installing, upgrading, removing and purging the packages beside RocketVPS's own modules, with restores at work meanwhile.
# shellcheck shell=bash source=tests/field/lib.sh disable=SC2016  # scripts for the machine have variables of their own

readonly MODULES=/opt/rocketvps/modules CONFIG=/opt/rocketvps/config/restore.toml

apt() { # ARGUMENT...
  m env DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet --yes "$@" </dev/null
}

content() { # FILE
  m cat "$1"
}

# RocketVPS's installer knows nothing of packages: it copies over whatever is there.
lay_modules() { # TEXT
  msh 'mkdir -p "$1"; for name in restore restore_ui utils; do printf "# RocketVPS\n%s %s\n" "$2" "$name" >"$1/$name.sh"; done' "$MODULES" "$1"
}

is_module_of() { # OURS|TEXT NAME
  if [[ $1 == ours ]]; then
    m grep -q '^# .*rocketvps-restore' "$MODULES/$2"
  else
    m grep -qx "$1 ${2%.sh}" "$MODULES/$2"
  fi
}

# Packages of the next version, with another restore.toml: what an upgrade brings.
make_next_version() {
  local name tree=$MACHINE/root/next
  mkdir "$MACHINE/root/debs/next"
  for name in "${PACKAGES[@]}"; do
    dpkg-deb --raw-extract "$MACHINE/root/debs/$name.deb" "$tree"
    sed -i -E 's/^(Version: .*)/\1+next/; s/\(= ([^)]*)\)/(= \1+next)/' "$tree/DEBIAN/control"
    [[ $name != rocketvps-restore ]] || printf '# a key of the next version\n' >>"$tree/usr/share/rocketvps-restore/restore.toml"
    dpkg-deb --root-owner-group --build "$tree" "$MACHINE/root/debs/next/$name.deb" >/dev/null
    rm -rf "$tree"
  done
}

# A restore that works long enough to meet what happens to its package.
start_slow_restore() { # sets job
  msh 'echo 4 >/run/slow'
  job=$(rv restore desk.example --latest --only files --yes --detach --field job) && reaches "$job" checking
}

ends_well() { # JOB
  within 60 job_has_ended "$1"
  msh 'rm -f /run/slow'
  equal "done" "$(job_state "$1")"
}

# What is said of the site before a restore, without what changes from one time to the next.
verdict() {
  rv validate desk.example --latest --only files | sed -E '/^Files /,$d; s/[0-9][0-9.,]*//g'
}

# Folders of the packages' that are still there, whatever dpkg says.
left_over() {
  msh 'find / -xdev \( -path /proc -o -path /root -o -path /opt/rocketvps/snapshots -o -path /opt/rocketvps/restore_jobs \
    -o -path /opt/rocketvps/restore_logs -o -path /var/www -o -path /var/log -o -path /var/lib/mysql \) -prune -o \
    \( -name "*rocketvps-restore*" -o -name "*rocketvps_restore*" -o -name "RocketVps" -o -name restore_ui \) -print'
}

install_checks() {
  check 'packages: they install' install_packages || return
  check 'packages: every file is as it was packed' equal '' "$(m dpkg --verify "${PACKAGES[@]}")"
  for name in restore.sh restore_ui.sh; do
    check "packages: our $name is in place" is_module_of ours "$name"
    check "packages: RocketVPS's $name is kept" contains "$(content "$MODULES/$name.rocketvps")" 'old '
    check "packages: $name is diverted" equal rocketvps-restore "$(m dpkg-divert --listpackage "$MODULES/$name")"
  done
  check "packages: other modules are not touched" is_module_of old utils.sh
  check 'packages: restore.toml is laid down for its owner alone' equal 'root:root 640' "$(m stat -c '%U:%G %a' "$CONFIG")"
  check 'packages: the loader finds the library' contains "$(m ldconfig -p)" librocketvps_restore.so.1
  check 'packages: the recovery unit is enabled' equal enabled "$(m systemctl is-enabled rocketvps-restore-recover)"
  check 'packages: the recovery unit was not started' equal inactive "$(m systemctl is-active rocketvps-restore-recover)"
  check 'packages: the completion reads' m bash -n /usr/share/bash-completion/completions/rocketvps-restore
  check 'packages: the man page is there' m gzip -t /usr/share/man/man1/rocketvps-restore.1.gz
}

# Programs in other languages find what they need where the packages put it.
language_checks() {
  local version
  version=$(m dpkg-query -W -f '${Version}' librocketvps-restore1)
  check 'packages: PHP calls the library' equal "$version" \
    "$(m php -r 'require "RocketVps/RocketVpsRestore.php"; echo (new RocketVps\RocketVpsRestore())->version();')"
  check 'packages: the PHP package calls the library' equal "$version" \
    "$(m php -r 'require "RocketVps/Restore/autoload.php"; use RocketVps\Restore\LibraryTransport;
      echo (new LibraryTransport())->version();')"
  check 'packages: the PHP package runs the helper' equal restore.example \
    "$(m php -r 'require "RocketVps/Restore/autoload.php"; use RocketVps\Restore\{Client, ProcessTransport, Request\DomainRequest};
      echo (new Client(new ProcessTransport()))->listBackups(new DomainRequest("restore.example"))->domain;')"
  printf '#include <rocketvps_restore.h>\n#include <stdio.h>\nint main(void) { return puts(rv_version()) < 0; }\n' >"$MACHINE/root/version.c"
  check 'packages: a C program builds with pkg-config' build_c
  check 'packages: the C program runs' equal "$version" "$(m /root/version)"
  check 'packages: the shell module lists backups' contains \
    "$(msh 'source "$1/restore.sh" && restore_list_backups desk.example' "$MODULES")" /opt/rocketvps/backups/desk.example/backup_
  check 'packages: the menus load' msh 'source "$1/restore_ui.sh" && declare -F restore_main_menu' "$MODULES"
}

# With this machine's compiler against the machine's folders.
build_c() {
  local flags
  flags=$(PKG_CONFIG_LIBDIR=$(echo "$MACHINE"/usr/lib/*/pkgconfig) PKG_CONFIG_SYSROOT_DIR=$MACHINE pkg-config --cflags --libs rocketvps-restore) || return
  # shellcheck disable=SC2086  # a list of words
  cc -o "$MACHINE/root/version" "$MACHINE/root/version.c" $flags
}

upgrade_checks() {
  local job=
  m sed -i 's/^#snapshot_retention_h = .*/snapshot_retention_h = 48/' "$CONFIG"
  lay_modules newer
  check 'upgrade: a restore is at work' start_slow_restore
  check 'upgrade: it installs' install_packages "${PACKAGES[@]/#/next/}"
  check 'upgrade: the restore went on and ended well' ends_well "$job"
  check "upgrade: the administrator's restore.toml stays" m grep -qx 'snapshot_retention_h = 48' "$CONFIG"
  check 'upgrade: it is still for its owner alone' equal 'root:root 640' "$(m stat -c '%U:%G %a' "$CONFIG")"
  check 'upgrade: our modules are back in place' is_module_of ours restore.sh
  check "upgrade: RocketVPS's newer module is kept" m grep -qx 'newer restore' "$MODULES/restore.sh.rocketvps"
  check "upgrade: the older one is not lost" m grep -rqx 'old restore' "$MODULES"
  check 'upgrade: the recovery unit is still enabled' equal enabled "$(m systemctl is-enabled rocketvps-restore-recover)"
}

remove_checks() {
  local job=
  lay_modules newest
  check 'remove: a restore is at work' start_slow_restore
  check 'remove: the packages go' apt remove "${PACKAGES[@]}"
  check 'remove: the restore went on and ended well' ends_well "$job"
  check "remove: RocketVPS's newest restore.sh is back" is_module_of newest restore.sh
  check "remove: RocketVPS's newest restore_ui.sh is back" is_module_of newest restore_ui.sh
  check "remove: our screens are gone" m test ! -e "$MODULES/restore_ui"
  check 'remove: nothing is diverted any more' fails m sh -c "dpkg-divert --list | grep rocketvps"
  check 'remove: the helper is gone' m test ! -e /usr/bin/rocketvps-restore
  check 'remove: the loader has forgotten the library' fails contains "$(m ldconfig -p)" librocketvps_restore
  check "remove: the administrator's restore.toml stays" m grep -qx 'snapshot_retention_h = 48' "$CONFIG"
  check 'remove: snapshots stay' m sh -c 'ls -d /opt/rocketvps/snapshots/desk.example/pre_restore_*'
  check 'remove: jobs stay' m test -e "/opt/rocketvps/restore_jobs/$job/status.json"
  check 'remove: the site is restored' fails sees desk.example defaced

  check 'again: they install' install_packages
  check 'again: restore.toml is the one that stayed' m grep -qx 'snapshot_retention_h = 48' "$CONFIG"
  check 'again: the recovery unit is enabled' equal enabled "$(m systemctl is-enabled rocketvps-restore-recover)"
  check 'again: the way back is still there' rv rollback desk.example --yes
  check 'again: files and tables are those of before' stands desk.example "$damaged"
}

purge_checks() {
  local said
  said=$(apt purge "${PACKAGES[@]}" 2>&1)
  check 'purge: it says that snapshots stay' contains "$said" '/opt/rocketvps/snapshots stays'
  check 'purge: snapshots stay' m sh -c 'ls -d /opt/rocketvps/snapshots/desk.example/pre_restore_*'
  check 'purge: backups stay' m sh -c 'ls /opt/rocketvps/backups/desk.example/backup_*.tar.gz'
  check 'purge: restore.toml is gone' m test ! -e "$CONFIG"
  check 'purge: nothing else is left' equal '' "$(left_over)"
  check "purge: RocketVPS's modules are in place" is_module_of newest restore.sh
  check "purge: the site still answers" sees desk.example 'as it was'
}

# What `make install` laid down before: its modules are ours, RocketVPS's are beside them as .bak.
source_checks() {
  msh 'cd "$1" && rm -f ./*.rocketvps* && for name in restore restore_ui; do
    printf "# By rocketvps-restore.\n" >$name.sh; printf "# RocketVPS\nold %s\n" $name >$name.sh.bak; done; echo "[limits]" >"$2"' "$MODULES" "$CONFIG"
  check 'after make install: the packages install, and ask nothing' install_packages
  check 'after make install: our module is in place' is_module_of ours restore.sh
  check "after make install: RocketVPS's is the one that is kept" m grep -qx 'old restore' "$MODULES/restore.sh.rocketvps"
  check 'after make install: restore.toml stays' equal '[limits]' "$(content "$CONFIG")"
  check 'after make install: the packages go' apt purge "${PACKAGES[@]}"
  check "after make install: RocketVPS's module is back" is_module_of old restore.sh
}

lay_modules old
check 'packages: a site is made' make_site desk.example
check 'packages: it is backed up' kit backup desk.example smart
check 'packages: it is damaged' kit damage desk.example
damaged=$(state desk.example files database)
install_checks
# The first look makes the folder that the next ones find.
verdict >/dev/null
with=$(verdict)
m mv "$CONFIG" "$CONFIG.away"
without=$(verdict)
m mv "$CONFIG.away" "$CONFIG"
check 'packages: restore.toml as laid down changes nothing' alike "$without" "$with"
check 'packages: a restore could start' contains "$with" 'services'
language_checks
make_next_version
upgrade_checks
kit damage desk.example
damaged=$(state desk.example files database)
remove_checks
purge_checks
source_checks
