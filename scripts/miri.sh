#!/usr/bin/env bash
# Miri, which interprets the code and finds undefined behaviour, on the C boundary and on what reads hostile text. It knows no
# processes, sockets or openat2: servers, trees and workers are left to the C programs under ASan and valgrind (tests/c).
# Needs `rustup toolchain install nightly --component miri,rust-src`; `scripts/miri.sh NAME…` takes the named tests.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cargo +nightly miri --version >/dev/null 2>&1; then
  printf 'miri: not run: there is no nightly toolchain with the component miri\n'
  exit 0
fi
tests=("$@")
((${#tests[@]})) || tests=(ffi:: api:: error:: report:: path:: config:: journal:: plan:: job::status archive::extension sql::token
  sql::statement sql::insert sql::rows sql::session sql::definer siteconf::guard::cron host::credentials::wp_config
  backup::name backup::meta)
# Its own folder: the flags would make every other build begin anew. rustix calls libc, as Miri does not know its assembler.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/miri RUSTFLAGS='--cfg rustix_use_libc' PROPTEST_CASES=2
export MIRIFLAGS='-Zmiri-disable-isolation -Zmiri-tree-borrows'
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
cargo +nightly miri test --locked --lib -- "${tests[@]}" 2>&1 | tee "$log" || status=$?
# One that meets undefined behaviour ends all, so there is no line for it.
printf 'miri: %d passed, %d failed\n' "$(sed -nE 's/^test result:.* ([0-9]+) passed.*/\1/p' "$log")" $((status != 0))
exit "$status"
