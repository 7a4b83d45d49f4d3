#!/usr/bin/env bash
# A whole Debian with systemd as its first process: the machine that users have. It boots in about two seconds and reaches
# nothing but its own loopback network. Needs root, debootstrap and systemd-container.
#
#   machine.sh make SUITE [PACKAGE...]  makes the template of a suite, once, and installs packages that it lacks
#   machine.sh fresh SUITE DIR          copies the template to DIR
#   machine.sh boot DIR                 boots DIR in the background, until systemd has started everything
#   machine.sh run DIR COMMAND [ARGUMENT...]
#                                       runs a command in it as root; standard streams and exit status are the command's
#   machine.sh cut DIR                  kills every process in it at once, as a power cut does; the page cache survives
#   machine.sh off DIR                  shuts it down in order
#   machine.sh drop DIR                 cuts it if it runs, and removes DIR
#
# SUITE: bookworm, trixie, sid. Templates lie below RV_MACHINES (default /var/tmp/rocketvps-restore-machines).
set -euo pipefail
home=${RV_MACHINES:-/var/tmp/rocketvps-restore-machines}
mirror=${RV_MIRROR:-http://deb.debian.org/debian}
# Seconds that a machine may take to boot or to shut down.
readonly PATIENCE=${RV_MACHINE_TIMEOUT:-120}
# What systemd needs to be the first process, and what any server has.
readonly BASE=systemd,systemd-sysv,dbus,ca-certificates,procps

usage() {
  sed -n '2,17p' "$0" >&2
  exit 2
}

fail() { # TEXT
  printf 'machine: %s\n' "$1" >&2
  exit 1
}

# --- templates ----------------------------------------------------------------------------------------------------------

# Runs apt-get in a template. A policy keeps services from starting: they start when the machine boots. A mirror of sid that lags
# behind by weeks is good enough for a machine that is thrown away.
apt_get() { # ROOT ARGUMENT...
  local root=$1
  shift
  # shellcheck disable=SC2016  # expanded by the inner shell
  unshare --mount --propagation private bash -c '
    set -e
    root=$1
    shift
    printf "#!/bin/sh\nexit 101\n" >"$root/usr/sbin/policy-rc.d"
    chmod 0755 "$root/usr/sbin/policy-rc.d"
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    status=0
    DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$root" \
      apt-get -o Acquire::Retries=3 -o Acquire::Check-Valid-Until=false -o Dpkg::Use-Pty=0 -qq --yes --no-install-recommends "$@" || status=$?
    rm -f "$root/usr/sbin/policy-rc.d"
    exit "$status"' apt "$root" "$@"
}

lacking() { # ROOT PACKAGE...
  local package
  # shellcheck disable=SC2016  # the format is dpkg-query's
  for package in "${@:2}"; do
    [[ $(chroot "$1" dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s\n' "$package"
  done
}

make_template() { # SUITE PACKAGE...
  local suite=$1 root=$home/$1 log=$home/$1.log missing
  shift
  mkdir -p "$home"
  exec 9>"$home/.$suite.lock"
  flock 9
  if [[ ! -e $root.ready ]]; then
    rm -rf --one-file-system "$root"
    debootstrap --variant=minbase --include="$BASE" "$suite" "$root" "$mirror" >"$log" 2>&1 || {
      tail -n 5 "$log" >&2
      fail "debootstrap of $suite failed; see $log"
    }
    touch "$root.ready"
  fi
  mapfile -t missing < <(lacking "$root" "$@")
  if ((${#missing[@]})); then
    { apt_get "$root" update && apt_get "$root" install "${missing[@]}" && apt_get "$root" clean; } >>"$log" 2>&1 || {
      tail -n 5 "$log" >&2
      fail "installing ${missing[*]} in $suite failed; see $log"
    }
  fi
  exec 9>&-
}

copy_template() { # SUITE DIR
  [[ -e $home/$1.ready ]] || fail "there is no template of $1; make it: machine.sh make $1"
  [[ ! -e $2 ]] || fail "$2 exists already"
  mkdir -p "$(dirname "$2")"
  (
    flock --shared 9
    cp -a --reflink=auto "$home/$1" "$2"
  ) 9>"$home/.$1.lock"
  # Each copy is a machine of its own.
  : >"$2/etc/machine-id"
}

# --- a machine ----------------------------------------------------------------------------------------------------------

# Prints the process id of the machine's first process. A number that has gone to another process since does not count: the
# root folder of ours is DIR.
leader() { # DIR
  local id
  id=$(cat "$1.leader" 2>/dev/null) && [[ -n $id && /proc/$id/root -ef $1 ]] && printf '%s' "$id"
}

inside() { # DIR COMMAND [ARGUMENT...]
  local id
  id=$(leader "$1") || fail "$1 does not run; boot it: machine.sh boot $1"
  exec nsenter --target "$id" --all env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" "${@:2}"
}

# Waits until the machine's first process and its keeper are gone.
wait_end() { # DIR LEADER
  local tries=$((PATIENCE * 10))
  while [[ -d /proc/$2 ]] || ! flock --nonblock "$1.keeper" true; do
    ((tries-- > 0)) || fail "$1 does not end; its first process is $2"
    sleep 0.1
  done
}

boot() { # DIR
  local dir=$1 keeper id state tries
  [[ -x $dir/usr/lib/systemd/systemd ]] || fail "$dir holds no machine; copy one: machine.sh fresh SUITE $dir"
  ! leader "$dir" >/dev/null || fail "$dir runs already"
  # The keeper holds this file's lock for as long as it lives.
  exec 8>"$dir.keeper"
  flock 8
  # Where this machine still has the old hierarchies of control groups, the one inside has the unified one all the same.
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 setsid systemd-nspawn --quiet --register=no --keep-unit --private-network --directory="$dir" --boot \
    >"$dir.console" 2>&1 </dev/null &
  keeper=$!
  exec 8>&-
  for ((tries = PATIENCE * 5; tries > 0; tries--)); do
    id=$(pgrep --parent "$keeper" | head -n 1) || id=
    if [[ -n $id ]]; then
      printf '%s\n' "$id" >"$dir.leader"
      state=$(inside "$dir" systemctl is-system-running 2>/dev/null) || :
      case $state in
        running) return 0 ;;
        degraded)
          inside "$dir" systemctl --no-legend --plain --failed >&2
          return 0
          ;;
      esac
    fi
    [[ -d /proc/$keeper ]] || break
    sleep 0.2
  done
  tail -n 5 "$dir.console" >&2
  fail "$dir did not boot; see $dir.console"
}

cut() { # DIR
  local id
  id=$(leader "$1") || return 0
  kill -KILL "$id"
  wait_end "$1" "$id"
}

off() { # DIR
  local id
  id=$(leader "$1") || return 0
  (inside "$1" systemctl poweroff --no-block) || fail "$1 refuses to shut down"
  wait_end "$1" "$id"
}

drop() { # DIR
  cut "$1"
  rm -rf --one-file-system "$1"
  rm -f "$1".{leader,keeper,console} "$(dirname "$1")/.#$(basename "$1").lck"
}

(($# > 1)) || usage
((EUID == 0)) || fail 'run it as root: it boots machines'
verb=$1
case $verb in
  make) make_template "${@:2}" ;;
  fresh)
    (($# == 3)) || usage
    copy_template "$2" "$(realpath -ms -- "$3")"
    ;;
  boot | cut | off | drop) "$verb" "$(realpath -ms -- "$2")" ;;
  run)
    (($# > 2)) || usage
    inside "$(realpath -ms -- "$2")" "${@:3}"
    ;;
  *) usage ;;
esac
