#!/usr/bin/env bash
# The C and C++ programs of this folder, built as any program would be, through pkg-config, and run on a world of their own: as
# they are, under strace, with AddressSanitizer and UndefinedBehaviorSanitizer, under valgrind. Then the examples, as a user without
# rights. run.sh PREFIX
set -euo pipefail
prefix=${1:?}
here=$(cd "$(dirname "$0")" && pwd)
world=$here/../harness/world.sh
folder=$(mktemp -d /tmp/rv-c.XXXXXX)
chmod 0711 "$folder"
broker=
trap '[[ -z $broker ]] || kill "$broker"; "$world" down "$folder/w"; rm -rf "$folder"' EXIT
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
status=0

build() { # SOURCE PROGRAM FLAG...: compiles one
  local source=$here/$1.c program=$folder/$2
  shift 2
  # shellcheck disable=SC2046  # flags are words
  gcc -std=c99 -Wall -Wextra -Wpedantic -Werror -O1 -g -pthread "$@" -o "$program" "$source" \
    $(pkg-config --cflags --libs rocketvps-restore)
}

build_cpp() { # SOURCE PROGRAM: compiles one of C++
  # shellcheck disable=SC2046  # flags are words
  g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -O1 -g -o "$folder/$2" "$here/$1.cpp" \
    $(pkg-config --cflags --libs rocketvps-restore)
}

say() { # EXIT-STATUS WHAT: one line of TAP for what no program says itself
  if (($1 == 0)); then
    printf 'ok - %s\n' "$2"
  else
    printf 'not ok - %s\n' "$2"
    status=1
  fi
}

run() { # WHAT COMMAND...: a program that speaks TAP, and how it ended
  local what=$1 ended=0
  shift
  "$@" || ended=$?
  say "$ended" "$what ends well"
}

build calls calls
build host host
build memory memory
build_cpp calls calls-cpp
build calls calls-asan -fsanitize=address,undefined -fno-sanitize-recover=all
build host host-asan -fsanitize=address,undefined -fno-sanitize-recover=all
"$world" up "$folder/w" >/dev/null
# shellcheck source=/dev/null
source "$folder/w/env"
"$world" digest "$folder/w" >"$folder/before"
"$world" backup "$folder/w" >/dev/null
"$world" damage "$folder/w"
run calls "$folder/calls" "$RV_CONFIG" "$WORLD_DOMAIN"
run 'calls of C++' "$folder/calls-cpp" "$RV_CONFIG" "$WORLD_DOMAIN"
"$world" digest "$folder/w" >"$folder/after"
same=0
diff "$folder/before" "$folder/after" | sed 's/^/# /' || same=1
say "$same" 'the site is as it was in the backup'

# The process that calls, not the helper that it starts.
run 'host under strace' strace -o "$folder/trace" \
  -e trace=open,openat,openat2,socket,socketpair,accept,accept4,pipe,pipe2,dup,dup2,dup3,eventfd2,epoll_create1,memfd_create,fcntl \
  "$folder/host" "$RV_CONFIG" "$WORLD_DOMAIN"
# From the first call on: what the host itself opens before is its own affair.
sed -n '/restore\.toml/,$p' "$folder/trace" | grep -E '^[a-z0-9]+\(.*\) += [0-9]' | grep -vE '^fcntl\(.*, F_(GET|SET)' >"$folder/opened"
grep -vE 'CLOEXEC' "$folder/opened" >"$folder/leaked" || true
sed 's/^/# /' "$folder/leaked"
leaves=0
[[ $(wc -l <"$folder/opened") -gt 100 && ! -s $folder/leaked ]] || leaves=1
say "$leaves" "each of $(wc -l <"$folder/opened") descriptors that were opened is closed by an exec"

run memory "$folder/memory" "$RV_CONFIG" "$WORLD_DOMAIN"

export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=0
run 'calls with sanitizers' "$folder/calls-asan"
run 'host with sanitizers' "$folder/host-asan" "$RV_CONFIG" "$WORLD_DOMAIN"

valgrind=(valgrind --quiet --error-exitcode=99 --leak-check=full "--errors-for-leak-kinds=definite,indirect,possible")
run 'calls under valgrind' "${valgrind[@]}" "$folder/calls"

# The examples, as www-data, who may not read restore.toml and asks the broker.
examples=$here/../../examples
mkdir "$folder/bin"
cp "$prefix"/lib/librocketvps_restore.so* "$prefix/bin/rocketvps-restore" "$examples/restore.sh" "$folder/bin"
# shellcheck disable=SC2046  # flags are words
gcc -std=c99 -Wall -Wextra -Wpedantic -Werror -o "$folder/bin/restore" "$examples/restore.c" $(pkg-config --cflags --libs rocketvps-restore)
# shellcheck disable=SC2046
g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -o "$folder/bin/backups" "$examples/backups.cpp" $(pkg-config --cflags --libs rocketvps-restore)
chmod -R a+rX "$folder/bin"
chmod 0600 "$RV_CONFIG"
mkdir -p "$folder/w/base/config"
printf '[[rule]]\nuser = "www-data"\ndomains = ["%s"]\ncalls = ["*"]\n' "$WORLD_DOMAIN" >"$folder/w/base/config/access.toml"
"$folder/bin/rocketvps-restore" --config "$RV_CONFIG" --set "paths.broker=$folder/broker.sock" serve &
broker=$!
for _ in {1..200}; do
  [[ ! -S $folder/broker.sock ]] || break
  sleep 0.05
done

without_rights() { # COMMAND...
  (cd / && setpriv --reuid=www-data --regid=www-data --clear-groups \
    env PATH="$folder/bin:$PATH" LD_LIBRARY_PATH="$folder/bin" timeout 300 "$@")
}

config="{\"file\":\"$RV_CONFIG\",\"set\":{\"paths\":{\"broker\":\"$folder/broker.sock\"}}}"
restored() { # WHAT COMMAND...: damages the site, runs the example, and looks at the site
  local what=$1 same=0
  shift
  "$world" damage "$folder/w"
  run "$what without rights" without_rights "$@"
  "$world" digest "$folder/w" >"$folder/after"
  diff "$folder/before" "$folder/after" | sed 's/^/# /' || same=1
  say "$same" "$what restores the site"
}
run 'the example of C++ without rights' without_rights backups "$WORLD_DOMAIN" "$config"
restored 'the example of C' restore "$WORLD_DOMAIN" "$config"
restored 'the example of the shell' restore.sh "$WORLD_DOMAIN" --config "$RV_CONFIG" --set "paths.broker=$folder/broker.sock"
said=$(without_rights restore neighbour.example "$config" 2>&1) || true
refused=0
[[ $said == *'"forbidden"'* ]] || refused=1
say "$refused" 'the example of C is refused a domain that no rule names'
exit "$status"
