# What every stage with services of its own looks for. Whoever sources it has `fail MESSAGE`.
# shellcheck shell=bash

php_fpm_program() {
  local program
  program=$(find /usr/sbin -maxdepth 1 -name 'php-fpm*' | sort -V | tail -n 1)
  [[ -n $program ]] || fail 'php-fpm is not installed; run scripts/install-deps.sh'
  printf '%s\n' "$program"
}

# The machine's own nginx, or the release of scripts/servers.sh that RV_NGINX names, in its chroot.
nginx_program() {
  local program=$WORLD/tmp/nginx
  if [[ -z ${RV_NGINX:-} ]]; then
    command -v nginx
    return
  fi
  [[ -e $program ]] || printf '#!/bin/sh\nexec env RV_SERVERS=%q %q run %q %q nginx "$@"\n' "${RV_SERVERS:-/var/tmp/rocketvps-restore-servers}" \
    "$SERVERS" "$RV_NGINX" "$WORLD" >"$program"
  chmod 0755 "$program"
  printf '%s\n' "$program"
}

# A loopback port nobody listens on; below the range from which the kernel gives ports to clients.
free_port() { # FIRST
  local port
  for ((port = $1; port < $1 + 2000; port++)); do
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      printf '%s\n' "$port"
      return 0
    fi
  done
  fail 'no free loopback port'
}
