#!/usr/bin/env bats
# make install and make uninstall, into folders of their own. What is installed is what $PREFIX has: nothing is built here.

bats_require_minimum_version 1.5.0
load helper

setup_file() {
  make_world
  BUILT=$FOLDER/built
  mkdir "$BUILT"
  ln -s "$PREFIX/bin/rocketvps-restore" "$PREFIX/lib/librocketvps_restore.so" "$BUILT/"
  # The project as it is installed from, with modules of which the test knows the content.
  SOURCE=$FOLDER/source
  mkdir "$SOURCE"
  (cd "$BATS_TEST_DIRNAME/../.." && cp -r --parents Makefile Cargo.toml include bindings docs/man panel scripts shell "$SOURCE")
  rm -rf "$SOURCE/shell/restore_ui" "$SOURCE"/shell/*.sh
  mkdir -p "$SOURCE/shell/restore_ui/lang"
  printf '# By rocketvps-restore.\nrestore_list_backups() { :; }\n' >"$SOURCE/shell/restore.sh"
  printf '# By rocketvps-restore.\nrestore_ui() { :; }\n' >"$SOURCE/shell/restore_ui.sh"
  printf 'screen\n' >"$SOURCE/shell/restore_ui/screen.sh"
  printf 'key=text\n' >"$SOURCE/shell/restore_ui/lang/vi.txt"
  export BUILT SOURCE
}
teardown_file() { end_world; }

setup() {
  ROOT=$(mktemp -d "$FOLDER/root.XXXXXX")
  chmod 755 "$ROOT"
  MODULES=$ROOT/opt/rocketvps/modules
}

make_it() { # install|uninstall VARIABLE=VALUE...
  make --no-print-directory -C "$SOURCE" "$1" DESTDIR="$ROOT" PREFIX=/usr BUILT="$BUILT" "${@:2}"
}

# Type, mode and name of everything but folders below ROOT.
things() {
  find "$ROOT" ! -type d -printf '%y %m /%P\n' | sort -k 3
}

old_modules() {
  mkdir -p "$MODULES"
  printf '# RocketVPS\nold restore\n' >"$MODULES/restore.sh"
  printf '# RocketVPS\nold menus\n' >"$MODULES/restore_ui.sh"
  printf '# RocketVPS\n' >"$MODULES/backup.sh"
}

@test "the files, their modes and the library's names" {
  umask 077
  run -0 make_it install
  diff <(things | grep -v -e ' /usr/share/php/' -e ' /usr/share/rocketvps-restore/panel/') - <<'LIST'
f 640 /opt/rocketvps/config/restore.toml
f 644 /opt/rocketvps/modules/restore.sh
f 644 /opt/rocketvps/modules/restore_ui.sh
f 644 /opt/rocketvps/modules/restore_ui/lang/vi.txt
f 644 /opt/rocketvps/modules/restore_ui/screen.sh
f 755 /usr/bin/rocketvps-restore
f 644 /usr/include/rocketvps_restore.h
l 777 /usr/lib/librocketvps_restore.so
f 644 /usr/lib/librocketvps_restore.so.1
f 644 /usr/lib/pkgconfig/rocketvps-restore.pc
f 644 /usr/lib/systemd/system/rocketvps-restore-drill.service
f 644 /usr/lib/systemd/system/rocketvps-restore-drill.timer
f 644 /usr/lib/systemd/system/rocketvps-restore-recover.service
f 644 /usr/lib/systemd/system/rocketvps-restore.service
f 644 /usr/lib/systemd/system/rocketvps-restore.socket
f 644 /usr/share/bash-completion/completions/rocketvps-restore
f 644 /usr/share/fish/vendor_completions.d/rocketvps-restore.fish
f 644 /usr/share/man/man1/rocketvps-restore.1
f 644 /usr/share/zsh/site-functions/_rocketvps-restore
LIST
  diff -r "$SOURCE/bindings/php/src" "$ROOT/usr/share/php/RocketVps/Restore"
  diff -r "$SOURCE/panel" "$ROOT/usr/share/rocketvps-restore/panel"
  [[ -z $(find "$ROOT/usr/share/rocketvps-restore" -type f ! -perm 644 -o -type l) ]]
  run -0 php -r "require '$ROOT/usr/share/rocketvps-restore/panel/panel.php'; new RocketVps\Panel\Engine(new RocketVps\Panel\Settings('', []));"
  diff "$SOURCE/bindings/php/RocketVpsRestore.php" "$ROOT/usr/share/php/RocketVps/RocketVpsRestore.php"
  [[ -z $(find "$ROOT/usr/share/php" -type f ! -perm 644) ]]
  php -d include_path="$ROOT/usr/share/php" -r 'require "RocketVps/Restore/autoload.php"; new RocketVps\Restore\Client();'
  [[ -z $(find "$ROOT" -mindepth 1 -type d ! -perm 755) ]]
  [[ $(readlink "$ROOT/usr/lib/librocketvps_restore.so") == librocketvps_restore.so.1 ]]
  [[ $(objdump -p "$ROOT/usr/lib/librocketvps_restore.so.1") == *SONAME*librocketvps_restore.so.1* ]]
  # DESTDIR is in no file: it is gone when the files are used.
  run ! grep -rlF "$ROOT" "$ROOT"
  run ! grep -rn '@[A-Z]*@' "$ROOT/usr/lib/pkgconfig" "$ROOT/usr/lib/systemd"
  grep -qxF 'ExecStart=/usr/bin/rocketvps-restore recover' "$ROOT/usr/lib/systemd/system/rocketvps-restore-recover.service"
  grep -qxF 'ExecStart=/usr/bin/rocketvps-restore serve' "$ROOT/usr/lib/systemd/system/rocketvps-restore.service"
}

@test "places of one's own" {
  own=(PREFIX='/opt/a b&c' ZSHDIR=/srv/zsh MODULES=/srv/modules CONFIG=/srv/config)
  run -0 make_it install "${own[@]}"
  [[ -f $ROOT/srv/zsh/_rocketvps-restore && -f $ROOT/opt/a\ b\&c/share/fish/vendor_completions.d/rocketvps-restore.fish ]]
  [[ -x $ROOT/opt/a\ b\&c/bin/rocketvps-restore && -f $ROOT/srv/modules/restore.sh && -f $ROOT/srv/config/restore.toml ]]
  grep -qxF 'prefix=/opt/a b&c' "$ROOT/opt/a b&c/lib/pkgconfig/rocketvps-restore.pc"
  # Recovery at boot reads the configuration of this installation.
  grep -qxF 'Environment=RV_CONFIG=/srv/config/restore.toml' "$ROOT/opt/a b&c/lib/systemd/system/rocketvps-restore-recover.service"
  [[ ! -e $ROOT/opt/rocketvps ]]
  run -0 make_it uninstall "${own[@]}"
  [[ $(things) == 'f 640 /srv/config/restore.toml' ]]
}

@test "old modules are kept as .bak, once, and come back" {
  old_modules
  before=$(things)
  cp -a "$MODULES" "$ROOT.before"
  run -0 make_it install
  [[ $output == *"the restore.sh that was there is kept"* ]]
  grep -q rocketvps-restore "$MODULES/restore.sh"
  grep -qx 'old restore' "$MODULES/restore.sh.bak"
  grep -qx 'old menus' "$MODULES/restore_ui.sh.bak"
  # An older version of ours is no old module.
  printf '# By rocketvps-restore, long ago.\n' >"$MODULES/restore.sh"
  run -0 make_it install
  grep -q restore_list_backups "$MODULES/restore.sh"
  grep -qx 'old restore' "$MODULES/restore.sh.bak"
  [[ $(find "$MODULES" -name '*.bak*' | wc -l) -eq 2 ]]
  run -0 make_it uninstall
  diff -r "$ROOT.before" "$MODULES"
  [[ $(things) == "$(printf 'f 640 /opt/rocketvps/config/restore.toml\n%s' "$before")" ]]
}

@test "a module that is a link is kept as that link" {
  mkdir -p "$MODULES"
  ln -s "$SOURCE/shell/restore.sh" "$MODULES/restore.sh"
  ln -s /nonexistent/restore_ui.sh "$MODULES/restore_ui.sh"
  run -0 make_it install
  [[ ! -L $MODULES/restore.sh && ! -L $MODULES/restore_ui.sh ]]
  run -0 make_it uninstall
  [[ $(readlink "$MODULES/restore.sh") == "$SOURCE/shell/restore.sh" ]]
  [[ $(readlink "$MODULES/restore_ui.sh") == /nonexistent/restore_ui.sh ]]
}

@test "old modules that were put back over ours are kept too, and nobody's copy is lost" {
  old_modules
  run -0 make_it install
  printf '# RocketVPS\nnewer restore\n' >"$MODULES/restore.sh"
  run -0 make_it install
  grep -qx 'newer restore' "$MODULES/restore.sh.bak"
  grep -rqx 'old restore' "$MODULES"
  # What is not ours is not removed.
  printf '# RocketVPS\nnewest restore\n' >"$MODULES/restore.sh"
  run -0 make_it uninstall
  [[ $output == *'restore.sh is not ours and stays'* ]]
  grep -qx 'newest restore' "$MODULES/restore.sh"
  grep -qx 'newer restore' "$MODULES/restore.sh.bak"
}

@test "the configuration of the machine is never overwritten nor removed" {
  mkdir -p "$ROOT/opt/rocketvps/config" "$ROOT/opt/rocketvps/restore_logs"
  printf '[limits]\nmax_retries = 5\n' >"$ROOT/opt/rocketvps/config/restore.toml"
  touch "$ROOT/opt/rocketvps/restore_logs/a.log"
  for what in install install uninstall uninstall; do run -0 make_it "$what"; done
  [[ $(things) == $'f 644 /opt/rocketvps/config/restore.toml\nf 644 /opt/rocketvps/restore_logs/a.log' ]]
  grep -q 'max_retries = 5' "$ROOT/opt/rocketvps/config/restore.toml"
}

@test "the installed helper reads the installed restore.toml" {
  run -0 make_it install
  run -0 "$ROOT/usr/bin/rocketvps-restore" --config "$ROOT/opt/rocketvps/config/restore.toml" --set "paths.base=$ROOT/base" jobs
}

@test "what is not built is said before anything is installed" {
  mkdir "$FOLDER/half"
  ln -s "$PREFIX/bin/rocketvps-restore" "$FOLDER/half/"
  run ! make_it install BUILT="$FOLDER/half"
  [[ $output == *'librocketvps_restore.so is not built; run make build'* && -z $(things) ]]
}

@test "a module of the project without its mark is refused" {
  printf 'restore() { :; }\n' >"$SOURCE/shell/unmarked.sh"
  run ! make_it install
  rm "$SOURCE/shell/unmarked.sh"
  [[ $output == *'shell/unmarked.sh'*'names rocketvps-restore'* && ! -e $MODULES/unmarked.sh ]]
}

@test "the modules of the project have their mark" {
  for file in "$BATS_TEST_DIRNAME"/../../shell/*.sh; do
    head -n 5 "$file" | grep '^# .*rocketvps-restore' || { printf '%s has none\n' "$file"; return 1; }
  done
}

@test "what is not ours stays: a link that leads nowhere, a .bak that nobody of us made" {
  mkdir -p "$MODULES"
  ln -s /nowhere/restore.sh "$MODULES/restore.sh"
  printf 'mine\n' >"$MODULES/restore_ui.sh.bak"
  run -0 make_it uninstall
  [[ -L $MODULES/restore.sh && -f $MODULES/restore_ui.sh.bak && ! -e $MODULES/restore_ui.sh ]]
}

@test "the menus run from where they were installed" {
  run -0 make --no-print-directory -C "$BATS_TEST_DIRNAME/../.." install DESTDIR="$ROOT" PREFIX=/usr BUILT="$BUILT"
  run -0 env RESTORE_HELPER="$ROOT/usr/bin/rocketvps-restore" LC_ALL=C.UTF-8 LANGUAGE=vi bash "$MODULES/restore_ui.sh" <<<q
  [[ $output == *'HỆ THỐNG PHỤC HỒI'* ]]
}

@test "the C program of README.md, through pkg-config, finds library and helper where they were installed" {
  run -0 make_it install
  # The helper beside the library leaves a trace; then it is the real one.
  mkdir "$ROOT/real"
  mv "$ROOT/usr/bin/rocketvps-restore" "$ROOT/real/"
  printf '#!/bin/sh\ntouch "%s/asked"\nexec "%s/real/rocketvps-restore" "$@"\n' "$ROOT" "$ROOT" >"$ROOT/usr/bin/rocketvps-restore"
  chmod 755 "$ROOT/usr/bin/rocketvps-restore"
  # shellcheck disable=SC2016  # a mark of Markdown
  awk '$0 == "```c" { inside = 1; next } /^```$/ { inside = 0 } inside' "$BATS_TEST_DIRNAME/../../README.md" |
    sed "s|\\\\\"domain\\\\\":\\\\\"example\.com|\\\\\"config\\\\\":\\\\\"$RV_CONFIG\\\\\",\\\\\"domain\\\\\":\\\\\"$WORLD_DOMAIN|" >"$ROOT/restore.c"
  good=$(world digest "$PLACE")
  world damage "$PLACE"
  # shellcheck disable=SC2046  # flags are words
  gcc -std=c99 -Wall -Wextra -Wpedantic -Werror -o "$ROOT/restore" "$ROOT/restore.c" \
    $(PKG_CONFIG_SYSROOT_DIR=$ROOT PKG_CONFIG_LIBDIR=$ROOT/usr/lib/pkgconfig pkg-config --cflags --libs rocketvps-restore)
  [[ $(objdump -p "$ROOT/restore") == *NEEDED*librocketvps_restore.so.1* ]]
  LD_LIBRARY_PATH=$ROOT/usr/lib run -0 "$ROOT/restore"
  [[ $output == *'"ok":true'* && -e $ROOT/asked ]]
  digest_is "$good"
}

@test "the man page reads without a warning" {
  run -0 make_it install
  page=$ROOT/usr/share/man/man1/rocketvps-restore.1
  run -0 --separate-stderr groff -man -ww -Tutf8 -P-bcou "$page"
  [[ -z $stderr && $output == *needs_operator* ]]
}
