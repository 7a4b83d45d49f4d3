# What the suites of the field have in common: checks that count, and machines.
#
# A suite is sourced by scripts/field.sh, which sets
#   MACHINE   the folder of a fresh machine of the suite's own, booted, with services and no package of ours
#   DEBIAN    the Debian suite of the machine
#   DEBS      the folder of the packages
# shellcheck shell=bash disable=SC2034

PACKAGES=(librocketvps-restore1 librocketvps-restore-dev rocketvps-restore php-rocketvps-restore)
FIELD=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# --- checks --------------------------------------------------------------------------------------------------------------

# A check that stands in expected_failures.txt, with its Debian or without, has to fail; when it passes, its line has to go.
judge() { # NAME STATUS
  local is_expected=no
  ! grep -qxF -e "$1" -e "$DEBIAN: $1" "$FIELD/expected_failures.txt" || is_expected=yes
  case $2:$is_expected in
    0:no) printf 'ok %s: %s\n' "$DEBIAN" "$1" ;;
    0:yes) printf 'not ok %s: %s\n# it passes: take its line out of tests/field/expected_failures.txt\n' "$DEBIAN" "$1" ;;
    *:no) printf 'not ok %s: %s\n' "$DEBIAN" "$1" ;;
    *:yes) printf 'expected %s: %s\n' "$DEBIAN" "$1" ;;
  esac
}

# Runs a command; its status is the check, and that of this function. What it wrote is shown when it fails.
check() { # NAME COMMAND [ARGUMENT...]
  local output=$MACHINE.output status=0
  # No subshell: a command may set what the next one needs.
  "${@:2}" >"$output" 2>&1 || status=$?
  judge "$1" "$status"
  ((status == 0)) || tail -n 15 "$output" | sed 's/^/#   /'
  return "$status"
}

check_not() { # NAME COMMAND [ARGUMENT...]
  check "$1" fails "${@:2}"
}

fails() { # COMMAND [ARGUMENT...]
  ! "$@"
}

equal() { # WANTED FOUND
  [[ $1 == "$2" ]] || {
    printf 'wanted: %s\nfound:  %s\n' "$1" "$2"
    return 1
  }
}

# Texts of many lines: what differs is shown.
alike() { # TEXT TEXT
  diff <(printf '%s\n' "$1") <(printf '%s\n' "$2")
}

contains() { # TEXT PART
  [[ $1 == *"$2"* ]] || {
    printf 'wanted: …%s…\nfound:  %s\n' "$2" "$1"
    return 1
  }
}

# --- machines ------------------------------------------------------------------------------------------------------------

machine() { # VERB [ARGUMENT...]
  "$FIELD/../../scripts/machine.sh" "$1" "$MACHINE" "${@:2}"
}

m() { # COMMAND [ARGUMENT...]
  machine run "$@"
}

msh() { # SCRIPT [ARGUMENT...]: a piece of bash
  m bash -c "$1" field "${@:2}"
}

kit() { # VERB [ARGUMENT...]
  m /root/field/kit.sh "$@"
}

rv() { # ARGUMENT...
  m rocketvps-restore "$@"
}

# Packages of ours, from the folder of packages that is in the machine.
install_packages() { # [PACKAGE...]
  local names=("$@")
  ((${#names[@]})) || names=("${PACKAGES[@]}")
  names=("${names[@]/%/.deb}")
  m env DEBIAN_FRONTEND=noninteractive dpkg --install "${names[@]/#//root/debs/}" >/dev/null
}

# Waits until a command succeeds.
within() { # SECONDS COMMAND [ARGUMENT...]
  local tries=$(($1 * 10))
  shift
  until "$@"; do
    ((tries-- > 0)) || return 1
    sleep 0.1
  done
}

# The rows of sites.tsv, one a line, without its comments.
site_rows() {
  grep -v '^#' "$FIELD/sites.tsv"
}

make_site() { # DOMAIN
  local domain type root certificate database
  while IFS=$'\t' read -r domain type root certificate database _; do
    [[ $domain != "$1" ]] || kit site "$domain" "$type" "$root" "$certificate" "$database" </dev/null
  done < <(site_rows)
}

# --- what stands at a site ------------------------------------------------------------------------------------------------

sees() { # DOMAIN TEXT
  contains "$(kit page "$1")" "$2"
}

state() { # DOMAIN PART...: one line a part
  local part
  for part in "${@:2}"; do printf '%s %s\n' "$part" "$(kit digest "$1" "$part")"; done
}

# The state of a site, asked again and compared.
stands() { # DOMAIN STATE
  local parts
  [[ $2 =~ [0-9a-f]{64} ]] || return
  mapfile -t parts < <(cut -d ' ' -f 1 <<<"$2")
  equal "$2" "$(state "$1" "${parts[@]}")"
}

# --- jobs ----------------------------------------------------------------------------------------------------------------

job_state() { # JOB: read from outside, without a process in the machine
  local text
  text=$(cat "$MACHINE/opt/rocketvps/restore_jobs/$1/status.json" 2>/dev/null) || return
  [[ $text =~ \"state\":\"([a-z_]+)\" ]] && printf '%s' "${BASH_REMATCH[1]}"
}

job_has_ended() { # JOB
  [[ $(job_state "$1") =~ ^(done|failed|rolled_back|needs_operator)$ ]]
}

reaches() { # JOB STATE
  local end=$((SECONDS + 60)) state
  until state=$(job_state "$1") && [[ $state == "$2" ]]; do
    if ((SECONDS > end)) || [[ $state =~ ^(done|failed|rolled_back|needs_operator)$ ]]; then
      printf 'the job is %s\n' "${state:-not there}"
      return 1
    fi
    sleep 0.005
  done
}
