#!/usr/bin/env bash
# Restores on real machines: Debian with systemd, nginx, PHP-FPM, MariaDB and cron, our packages installed.
#
#   field.sh [SUITE...]     all of them, on Debian 12 and 13, where none is named: packages sites power systemd
#   field.sh short          the suite `first` on Debian 12, a minute; exit status 77 where no machine can be had, with the reason
#   field.sh upstream       sites and backups by RocketVPS's own functions; RV_UPSTREAM=DIR is a checkout of it
#   field.sh machines SUITE-OF-DEBIAN...
#                           makes the machines' templates and nothing else
#
# RV_SUITES="bookworm trixie"  the Debian suites; RV_DEBS=DIR  packages that are built already;
# PROFILE=debug  packages of the debug build; RV_KEEP=1  leaves the machines where they are.
# Ends with one line `N passed, N failed, N expected to fail`, and non-zero when anything failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
readonly SUITES=(packages sites power systemd)
readonly SERVICES=(nginx php-fpm php-cli php-mysql mariadb-server cron openssl curl redis-server ucf)
readonly LEFT_OUT=77

fail() { # TEXT
  printf 'field: %s\n' "$1" >&2
  exit 1
}

# Where machines cannot be had, the short form is left out. Whoever asks for the long one wants to know.
no_machine() { # REASON
  [[ $form == short ]] || fail "$1"
  printf 'field: left out: %s\n' "$1"
  exit "$LEFT_OUT"
}

make_machines() { # SUITE-OF-DEBIAN...
  local debian
  for debian in "$@"; do
    scripts/machine.sh make "$debian" "${SERVICES[@]}" || return
  done
}

form=long
case ${1:-} in
  machines)
    make_machines "${@:2}"
    exit
    ;;
  short)
    form=short
    suites=(first)
    read -ra debians <<<"${RV_SUITES:-bookworm}"
    ;;
  *)
    suites=("$@")
    ((${#suites[@]})) || suites=("${SUITES[@]}")
    read -ra debians <<<"${RV_SUITES:-bookworm trixie}"
    ;;
esac
for suite in "${suites[@]}"; do
  [[ -f tests/field/$suite.sh ]] || fail "there is no suite $suite"
done
[[ " ${suites[*]} " != *' upstream '* || -f ${RV_UPSTREAM:-}/rocketvps.sh ]] || fail 'RV_UPSTREAM names no checkout of RocketVPS'
((EUID == 0)) || fail 'run it as root: it boots machines'

home=${RV_MACHINES:-/var/tmp/rocketvps-restore-machines}
mkdir -p "$home"
work=$(mktemp -d "$home/run.XXXXXX")
running=

finish() {
  local machine
  [[ -z $running ]] || kill "$running" 2>/dev/null
  [[ -z ${RV_KEEP:-} ]] || return 0
  for machine in "$work"/*/; do
    [[ -d $machine ]] || continue
    scripts/machine.sh drop "${machine%/}"
  done
  rm -rf --one-file-system "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

began=$SECONDS
make_machines "${debians[@]}" || no_machine 'no machine could be made'
printf 'machines are made: %d s\n' $((SECONDS - began))

if [[ -n ${RV_DEBS:-} ]]; then
  DEBS=$(realpath -- "$RV_DEBS")
else
  DEBS=$work/debs
  packages=$(scripts/deb.sh) || fail 'the packages do not build'
  mkdir "$DEBS"
  xargs -d '\n' cp -t "$DEBS" <<<"$packages"
fi

# A machine of its own for each suite of ours: what one leaves behind is not the next one's.
run_suite() { # SUITE-OF-DEBIAN SUITE
  DEBIAN=$1
  MACHINE=$work/$1-$2
  if ! prepare_machine "$1"; then
    # Nothing of ours is in it yet.
    printf 'no machine: %s, %s\n' "$1" "$2"
    return
  fi
  # shellcheck source=tests/field/lib.sh
  source tests/field/lib.sh
  # shellcheck source=tests/field/steps.sh
  source tests/field/steps.sh
  # shellcheck source=/dev/null
  source "tests/field/$2.sh"
  # A suite that ended early does not come to this line.
  printf 'ended %s: %s\n' "$1" "$2"
  [[ -n ${RV_KEEP:-} ]] || scripts/machine.sh drop "$MACHINE"
}

prepare_machine() { # SUITE-OF-DEBIAN
  local file name
  scripts/machine.sh fresh "$1" "$MACHINE" || return
  mkdir -p "$MACHINE/root/debs" "$MACHINE/root/field"
  cp tests/field/*.sh "$MACHINE/root/field/"
  [[ -z ${RV_UPSTREAM:-} ]] || cp -rT "$RV_UPSTREAM" "$MACHINE/root/field/upstream"
  # Without version and architecture: a suite installs packages by name.
  for file in "$DEBS"/*.deb; do
    name=${file##*/}
    cp "$file" "$MACHINE/root/debs/${name%%_*}.deb"
  done
  scripts/machine.sh boot "$MACHINE"
}

log=$work/log
: >"$log"
for debian in "${debians[@]}"; do
  for suite in "${suites[@]}"; do
    began=$SECONDS
    printf '== %s, %s\n' "$debian" "$suite"
    # Waited for and not run in the foreground: a signal is heeded at once.
    run_suite "$debian" "$suite" > >(tee -a "$log") 2>&1 &
    running=$!
    wait "$running"
    running=
    printf '== %s, %s: %d s\n' "$debian" "$suite" $((SECONDS - began))
  done
done
! grep -q '^no machine: ' "$log" || no_machine 'a machine does not boot here; why is above'
passed=$(grep -c '^ok ' "$log")
failed=$(grep -c '^not ok ' "$log")
expected=$(grep -c '^expected ' "$log")
ran=$(grep -c '^ended ' "$log")
if ((ran < ${#suites[@]} * ${#debians[@]})); then
  failed=$((failed + 1))
fi
printf '%d passed, %d failed, %d expected to fail\n' "$passed" "$failed" "$expected"
((failed == 0 && passed > 0))
