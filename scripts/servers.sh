#!/usr/bin/env bash
# Servers of other releases, each in a chroot of its Debian suite. Needs root and debootstrap.
#
#   servers.sh make NAME...          makes the chroots that are missing (a minute or two each)
#   servers.sh fresh NAME DIR        puts a fresh data folder of the database at DIR
#   servers.sh run NAME DIR PROGRAM [ARGUMENT...]
#                                    runs a program of the release in the foreground; it sees DIR at the same path, and nothing
#                                    else of this machine. What is mounted for it goes with it.
#   servers.sh test [NAME...]        the tests of each server on its release; on all of them where none is named
#
# NAME: mysql97 (sid), mariadb118 (trixie), mariadb1011 (bookworm), mariadb105 (bullseye);
#       redis8, valkey8, memcached1638, nginx126 (trixie).
# They lie below RV_SERVERS (default /var/tmp/rocketvps-restore-servers) and are made once.
set -euo pipefail
home=${RV_SERVERS:-/var/tmp/rocketvps-restore-servers}
mirror=${RV_MIRROR:-http://deb.debian.org/debian}

usage() {
  sed -n '2,14p' "$0" >&2
  exit 2
}

release() { # NAME: sets suite, packages, kind, root
  local at=
  case $1 in
    mysql97) suite=sid packages=mysql-server-core,mysql-client-core kind=mysql ;;
    mariadb118) suite=trixie packages=mariadb-server-core,mariadb-client kind=mariadb ;;
    mariadb1011) suite=bookworm packages=mariadb-server-core,mariadb-client kind=mariadb ;;
    mariadb105) suite=bullseye packages=mariadb-server-core-10.5,mariadb-client-10.5 kind=mariadb ;;
    redis8 | valkey8 | memcached1638 | nginx126)
      suite=trixie packages=redis-server,valkey-server,memcached,nginx kind=web at=-web ;;
    *) usage ;;
  esac
  root=$home/$suite$at
  template=$home/template-$1
}

make_root() {
  [[ -e $root/.ready ]] && return
  mkdir -p "$home"
  rm -rf "$root"
  if ! debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$mirror" >"$root.log" 2>&1; then
    tail -n 5 "$root.log" >&2
    printf 'servers: debootstrap of %s failed; see %s\n' "$suite" "$root.log" >&2
    return 1
  fi
  touch "$root/.ready"
}

# The program sees the folder at its own path: sockets and files have one name inside and outside.
inside() { # DIR PROGRAM [ARGUMENT...]
  # shellcheck disable=SC2016
  exec unshare --mount --propagation private bash -c '
    set -e
    root=$1 dir=$2
    shift 2
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    mount -t tmpfs tmpfs "$root/tmp"
    mount -t tmpfs tmpfs "$root/var/tmp"
    mkdir -p "$root$dir"
    mount --rbind "$dir" "$root$dir"
    exec chroot "$root" "$@"' inside "$root" "$@"
}

make_template() {
  [[ -e $template/.ready ]] && return
  rm -rf "$template"
  mkdir -p "$template/data"
  # InnoDB asks for asynchronous I/O, of which a machine has only so much.
  if [[ $kind == mysql ]]; then
    (inside "$template" mysqld --no-defaults --initialize-insecure --user=root --datadir="$template/data") >"$template/log" 2>&1
  else
    (inside "$template" mariadb-install-db --no-defaults --user=root --datadir="$template/data" --skip-test-db --force --skip-name-resolve \
      --auth-root-authentication-method=normal --innodb-use-native-aio=0 --debug-no-sync=1) >"$template/log" 2>&1
  fi
  touch "$template/.ready"
}

# Several tests may want the same release for the first time.
locked() { # COMMAND...
  mkdir -p "$home"
  exec 9>"$home/.lock"
  flock 9
  "$@"
  exec 9>&-
}

# What a release has to show. Some tests are written in words of MariaDB's, or of the release that they were first seen on; g09 changes
# lower_case_table_names of a server, which MySQL allows before its first start alone. MySQL counts rows of its own dictionary among those
# that were inserted, which the first a19 compares. Where MariaDB 10.5 dies within a RENAME, tables can be left between the sides.
tests_of() { # NAME
  local kills='test(/^(crash|servers|resume|states)::/)'
  local mariadb='test(/contract$|^(database|dialects|privileges|hostile_dumps|hostile_statements|verdicts|tenants)::/)'
  local mysql='test(/contract$|^(dialects|hostile_dumps|hostile_statements|verdicts|releases|tenants)::/)'
  case $1 in
    mysql97) printf '%s + %s - test(/::g09_|::a19_a_restore_killed_while_it_stages/)\n' "$mysql" "$kills" ;;
    mariadb1011) printf '%s + %s\n' "$mariadb" "$kills" ;;
    redis8 | valkey8) printf 'test(/^(object_caches|fresh)::/) - test(/memcached/)\n' ;;
    memcached1638) printf 'test(/^object_caches::/) - test(/redis/)\n' ;;
    nginx126) printf 'test(/^(caches|fresh|services|configuration)::/)\n' ;;
    mariadb105) printf '%s + %s - test(/::e70_|::a10_the_database_dies_within|::a12_the_database_dies/)\n' "$mariadb" "$kills" ;;
    *) printf '%s + %s - test(/::e70_/)\n' "$mariadb" "$kills" ;;
  esac
}

# Where the tests look for the name of a release.
variable_of() { # NAME
  case $1 in
    redis8 | valkey8 | memcached1638) echo RV_STORE ;;
    nginx126) echo RV_NGINX ;;
    *) echo RV_SERVER ;;
  esac
}

test_all() { # NAME...
  local name failed=0
  cd "$(dirname "$0")/.."
  for name in "$@"; do
    release "$name"
    locked make_root
    printf '== %s\n' "$name"
    env "$(variable_of "$name")=$name" cargo nextest run --locked --no-fail-fast -E "$(tests_of "$name")" || failed=1
  done
  return "$failed"
}

verb=${1:-}
(($# > 1)) || [[ $verb == test ]] || usage
case $verb in
  make)
    for name in "${@:2}"; do
      release "$name"
      locked make_root
    done
    ;;
  fresh)
    (($# == 3)) || usage
    release "$2"
    locked make_root
    locked make_template
    mkdir -p "$3"
    cp -a --reflink=auto "$template/data/." "$3/"
    ;;
  run)
    (($# > 3)) || usage
    release "$2"
    inside "${@:3}"
    ;;
  test)
    shift
    (($#)) || set -- mariadb105 mariadb1011 mariadb118 mysql97 redis8 valkey8 memcached1638 nginx126
    test_all "$@"
    ;;
  *) usage ;;
esac
