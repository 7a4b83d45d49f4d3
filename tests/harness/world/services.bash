# What every stage with services of its own looks for. Whoever sources it has `fail MESSAGE`.
# shellcheck shell=bash

php_fpm_program() {
  local program
  program=$(find /usr/sbin -maxdepth 1 -name 'php-fpm*' | sort -V | tail -n 1)
  [[ -n $program ]] || fail 'php-fpm is not installed; run scripts/install-deps.sh'
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
