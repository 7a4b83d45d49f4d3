#!/usr/bin/env bash
# Puts library, helper, PHP package, shell modules, man page, completions, configuration and systemd unit where they belong, or
# takes them away again. `make install` and `make uninstall` call it:
#   PREFIX=… LIBDIR=… UNITDIR=… ZSHDIR=… MODULES=… CONFIG=… DESTDIR=… BUILT=… scripts/install.sh install|uninstall
# A module of RocketVPS that is in the way is kept as NAME.bak and comes back with the uninstallation.
set -euo pipefail
cd "$(dirname "$0")/.."

prefix=$(realpath -ms -- "${PREFIX:-/usr/local}")
libdir=$(realpath -ms -- "${LIBDIR:-$prefix/lib}")
unitdir=$(realpath -ms -- "${UNITDIR:-$prefix/lib/systemd/system}")
zshdir=$(realpath -ms -- "${ZSHDIR:-$prefix/share/zsh/site-functions}")
modules=$(realpath -ms -- "${MODULES:-/opt/rocketvps/modules}")
config=$(realpath -ms -- "${CONFIG:-/opt/rocketvps/config}")
destdir=${DESTDIR:-}
built=${BUILT:-target/release}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# PHP looks in /usr/share/php by itself.
php=$prefix/share/php/RocketVps
panel=$prefix/share/rocketvps-restore/panel
readonly php panel prefix libdir unitdir zshdir modules config destdir built version

readonly LIBRARY=librocketvps_restore.so
# A module whose first comment names the helper is ours, of this version or another.
readonly MARK='^# .*rocketvps-restore'

say() { # TEXT
  printf 'install: %s\n' "$1"
}

fail() { # TEXT
  printf 'install: %s\n' "$1" >&2
  exit 1
}

# Whoever has the old file open or mapped keeps it whole.
put() { # MODE SOURCE PLACE
  local place=$destdir$3
  install -D -m "$1" -- "$2" "$place.new"
  mv -fT -- "$place.new" "$place"
}

put_filled() { # SOURCE PLACE: a text with the prefix and the version filled in
  local text
  text=$(<"$1")
  text=${text//@PREFIX@/"$prefix"}
  text=${text//@LIBDIR@/"$libdir"}
  text=${text//@CONFIG@/"$config"}
  put 0644 <(printf '%s\n' "${text//@VERSION@/"$version"}") "$2"
}

# MODE SOURCE PLACE of every file that is installed as it is, in lines.
plain_files() {
  printf '%s\t%s\t%s\n' \
    0755 "$built/rocketvps-restore" "$prefix/bin/rocketvps-restore" \
    0644 "$built/$LIBRARY" "$libdir/$LIBRARY.1" \
    0644 include/rocketvps_restore.h "$prefix/include/rocketvps_restore.h" \
    0644 docs/man/rocketvps-restore.1 "$prefix/share/man/man1/rocketvps-restore.1" \
    0644 shell/completion/rocketvps-restore.bash "$prefix/share/bash-completion/completions/rocketvps-restore" \
    0644 shell/completion/_rocketvps-restore "$zshdir/_rocketvps-restore" \
    0644 shell/completion/rocketvps-restore.fish "$prefix/share/fish/vendor_completions.d/rocketvps-restore.fish"
  local file
  while IFS= read -r file; do
    printf '%s\t%s\t%s\n' 0644 "bindings/php/src/$file" "$php/Restore/$file"
  done < <(find bindings/php/src -type f -printf '%P\n' | sort)
  printf '%s\t%s\t%s\n' 0644 bindings/php/RocketVpsRestore.php "$php/RocketVpsRestore.php"
  # The panel's words are the menus', by a link.
  while IFS= read -r file; do
    printf '%s\t%s\t%s\n' 0644 "panel/$file" "$panel/$file"
  done < <(find -L panel -type f -printf '%P\n' | sort)
}

# SOURCE PLACE of every file that is filled in.
filled_files() {
  printf '%s\t%s\n' \
    bindings/c/rocketvps-restore.pc.in "$libdir/pkgconfig/rocketvps-restore.pc" \
    scripts/rocketvps-restore-recover.service.in "$unitdir/rocketvps-restore-recover.service" \
    scripts/rocketvps-restore-drill.service.in "$unitdir/rocketvps-restore-drill.service" \
    scripts/rocketvps-restore-drill.timer.in "$unitdir/rocketvps-restore-drill.timer" \
    scripts/rocketvps-restore.service.in "$unitdir/rocketvps-restore.service" \
    scripts/rocketvps-restore.socket.in "$unitdir/rocketvps-restore.socket"
}

# The shell modules, which may take the place of others of their names.
module_files() {
  local file
  for file in shell/*.sh; do
    printf '%s\n' "${file#shell/}"
  done
}

# The menus' screens and languages, in folders of our own beside the modules.
screen_files() {
  local file
  for file in shell/restore_ui/*.sh shell/restore_ui/lang/*.txt; do
    printf '%s\n' "${file#shell/}"
  done
}

is_ours() { # FILE
  [[ -f $1 && ! -L $1 ]] && grep -q -- "$MARK" < <(head -n 5 -- "$1")
}

put_module() { # NAME
  local place=$modules/$1
  is_ours "shell/$1" || fail "shell/$1: no comment in its first five lines names rocketvps-restore, by which it is known as ours"
  if [[ -e $destdir$place || -L $destdir$place ]] && ! is_ours "$destdir$place"; then
    # Numbered: an older .bak is somebody's only copy too.
    mv -T --backup=numbered -- "$destdir$place" "$destdir$place.bak"
    say "the $1 that was there is kept: $destdir$place.bak"
  fi
  put 0644 "shell/$1" "$place"
}

take_module() { # NAME
  local place=$destdir$modules/$1 older
  if is_ours "$place"; then
    rm -f -- "$place"
    if [[ -e $place.bak || -L $place.bak ]]; then
      mv -T -- "$place.bak" "$place"
      say "the $1 of before is back: $place"
    fi
  elif [[ -e $place || -L $place ]]; then
    say "$place is not ours and stays"
  fi
  for older in "$place".bak*; do
    [[ ! -e $older && ! -L $older ]] || say "an older one stays: $older"
  done
}

install_all() {
  local mode source place name
  for source in "$built/rocketvps-restore" "$built/$LIBRARY"; do
    [[ -f $source ]] || fail "$source is not built; run make build, or name its folder: make install BUILT=…"
  done
  while IFS=$'\t' read -r mode source place; do put "$mode" "$source" "$place"; done < <(plain_files)
  while IFS=$'\t' read -r source place; do put_filled "$source" "$place"; done < <(filled_files)
  ln -sfT "$LIBRARY.1" "$destdir$libdir/$LIBRARY"
  while IFS= read -r name; do put_module "$name"; done < <(module_files)
  while IFS= read -r name; do put 0644 "shell/$name" "$modules/$name"; done < <(screen_files)
  # Mail addresses and webhooks may stand in it: not for everybody. It is the administrator's once it is there.
  if [[ ! -e $destdir$config/restore.toml ]]; then
    put 0640 scripts/restore.toml "$config/restore.toml"
  fi
  say "version $version is in $destdir$prefix, the shell modules in $destdir$modules, restore.toml in $destdir$config"
  [[ -z $destdir ]] || return 0
  say "programs that link the library find it after: ldconfig"
  say "for recovery at boot: systemctl enable rocketvps-restore-recover"
  say "for proof every week that the backups work: systemctl enable --now rocketvps-restore-drill.timer"
  say "for callers without rights: $config/access.toml, then systemctl enable --now rocketvps-restore.socket"
  if [[ -d /run/systemd/system ]]; then
    # A broker that runs is of the version before.
    if ! { systemctl daemon-reload && systemctl try-restart rocketvps-restore.service; }; then
      say 'systemctl failed; a broker that runs is of the version before'
    fi
  fi
  if [[ $config != /opt/rocketvps/config ]]; then
    say "the helper looks in /opt/rocketvps/config; for this one: export RV_CONFIG=$config/restore.toml"
  fi
}

uninstall_all() {
  local place name
  while IFS=$'\t' read -r _ _ place; do rm -f -- "$destdir$place"; done < <(plain_files)
  while IFS=$'\t' read -r _ place; do rm -f -- "$destdir$place"; done < <(filled_files)
  rm -f -- "$destdir$libdir/$LIBRARY"
  while IFS= read -r name; do take_module "$name"; done < <(module_files)
  while IFS= read -r name; do rm -f -- "$destdir$modules/$name"; done < <(screen_files)
  for place in "$modules"/restore_ui/lang "$modules"/restore_ui "$php"/Restore/{Answer,Enum,Exception,Request} "$php"/Restore "$php" \
    "$panel"/{src/Page,src,views,public,lang} "$panel" "${panel%/*}"; do
    [[ ! -d $destdir$place ]] || rmdir --ignore-fail-on-non-empty -- "$destdir$place"
  done
  say "restore.toml stays in $destdir$config; backups, snapshots, jobs and logs were not touched"
  [[ -n $destdir ]] || say 'where they were enabled: systemctl disable --now rocketvps-restore-recover rocketvps-restore-drill.timer rocketvps-restore.socket rocketvps-restore.service'
}

case ${1:-} in
  install) install_all ;;
  uninstall) uninstall_all ;;
  *) fail 'install or uninstall?' ;;
esac
