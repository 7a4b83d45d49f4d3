#!/usr/bin/env bash
# Installs from Debian's packages what the demo, the tests and the benchmark need, and starts none of it.
# Does nothing, quickly, when all is there. `--bench` adds the benchmark's peers, `--deb` what judges packages.
set -euo pipefail

packages=(
  bats curl fish g++ gcc groff-base libc6-dev make parallel pkg-config python3 shellcheck openssl pigz procps tmux util-linux valgrind xxhash
  7zip lz4 xz-utils zsh zstd
  btrfs-progs debootstrap e2fsprogs faketime strace xfsprogs
  chromium fonts-noto-core nodejs npm
  mariadb-server-core mariadb-client nginx-light php-cli php-fpm php-mbstring php-mysql phpunit wordpress
  memcached php-memcached php-redis redis-server supervisor
)
if [[ ${1:-} == --bench ]]; then
  packages+=(isal mydumper rsync)
fi
if [[ ${1:-} == --deb ]]; then
  packages+=(debhelper lintian systemd-container)
fi

# What the tests of the panel need of npm, in the versions of the committed list; into a folder of the build.
install_modules() {
  local folder=${CARGO_TARGET_DIR:-target}/panel-npm
  cd "$(dirname "$0")/.."
  if ! cmp -s tests/panel/package-lock.json "$folder/package-lock.json" || [[ ! -d $folder/node_modules ]]; then
    mkdir -p "$folder"
    cp tests/panel/package.json tests/panel/package-lock.json "$folder/"
    if ! (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null); then
      # Without it the next run begins anew.
      rm -f "$folder/package-lock.json"
      printf 'install-deps: npm failed\n' >&2
      exit 1
    fi
  fi
}

# nginx comes in several packages; any of them will do. Node may be another than Debian's.
is_there() { # PACKAGE
  if [[ $1 == nginx-light ]] && command -v nginx >/dev/null; then
    return 0
  fi
  if [[ $1 == npm || $1 == nodejs ]] && command -v npm >/dev/null; then
    return 0
  fi
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

missing=()
for package in "${packages[@]}"; do
  is_there "$package" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  install_modules
  exit 0
fi
if ((EUID != 0)); then
  printf 'install-deps: run as root, or install: %s\n' "${missing[*]}" >&2
  exit 1
fi

# A package that is installed starts its service unless this policy forbids it; the machine's own policy comes back after.
policy=/usr/sbin/policy-rc.d
saved=
if [[ -e $policy ]]; then
  saved=$(mktemp "$policy.XXXXXX")
  cp -p "$policy" "$saved"
fi
restore_policy() {
  if [[ -n $saved ]]; then
    mv -f "$saved" "$policy"
  else
    rm -f "$policy"
  fi
}
trap restore_policy EXIT
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 0755 "$policy"

printf 'Installing %s\n' "${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get -o Acquire::Retries=3 -qq update &&
  apt-get -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -qq install --yes --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  cat "$log" >&2
  printf 'install-deps: apt-get failed; its output is above\n' >&2
  exit 1
fi
rm -f "$log"
install_modules
