#!/usr/bin/env bash
# Every suite: Rust, C, PHP, the panel, bats, a machine. All of them run, whatever fails; the last line counts what they reported.
# `scripts/test.sh rust c php panel bats` runs the named ones; `field` is the short form of `make field`. RESULTS=FILE gets one line a suite: name, passed, failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
target=${CARGO_TARGET_DIR:-target}
prefix=$PWD/$target/prefix
[[ $target != /* ]] || prefix=$target/prefix
results=${RESULTS:-$(mktemp)}
[[ -n ${RESULTS:-} ]] || trap 'rm -f "$results"' EXIT
logs=$target/test-logs
mkdir -p "$logs"

# A suite that ended badly without naming a failed test (it did not compile, it crashed) counts as one failure.
record() { # SUITE PASSED FAILED EXIT-STATUS
  local failed=$3
  if (($4 != 0 && failed == 0)) || (($2 + failed == 0)); then
    failed=$((failed + 1))
  fi
  printf '%s\t%d\t%d\n' "$1" "$2" "$failed" >>"$results"
  printf '== %s: %d passed, %d failed\n' "$1" "$2" "$failed"
}

sum() { # FILE PATTERN-WITH-ONE-NUMBER
  sed -E 's/\x1b\[[0-9;]*m//g' "$1" | sed -nE "s/$2/\1/p" | awk '{ total += $1 } END { print total + 0 }'
}

suite_rust() {
  local log=$logs/rust.log status bad doc=0
  # MySQL, which no Debian that we build on has in its own packages.
  scripts/servers.sh make mysql97
  if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --locked --no-fail-fast --color never 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    # One that hung is none that passed.
    bad=$(($(sum "$log" '.*Summary.* ([0-9]+) failed.*') + $(sum "$log" '.*Summary.* ([0-9]+) timed out.*')))
    record rust "$(sum "$log" '.*Summary.* ([0-9]+) passed.*')" "$bad" "$status"
    cargo test --locked --doc 2>&1 | tee "$logs/doc.log"
    doc=${PIPESTATUS[0]}
    ((doc == 0)) || record doc 0 "$(sum "$logs/doc.log" '^test result:.* ([0-9]+) failed.*')" "$doc"
  else
    cargo test --locked --no-fail-fast 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    record rust "$(sum "$log" '^test result:.* ([0-9]+) passed.*')" "$(sum "$log" '^test result:.* ([0-9]+) failed.*')" "$status"
  fi
}

# Library, helper and header as they would be installed.
install_prefix() {
  cargo build --locked && make --no-print-directory install PROFILE=debug DESTDIR= PREFIX="$prefix" \
    MODULES="$prefix/modules" CONFIG="$prefix/config" >/dev/null
}

tap() { # SUITE COMMAND...: a suite that speaks the Test Anything Protocol
  local name=$1 log=$logs/$1.log status
  shift
  "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  record "$name" "$(grep -c '^ok ' "$log")" "$(grep -c '^not ok ' "$log")" "$status"
}

suite_c() {
  tap c tests/c/run.sh "$prefix"
}

suite_php() {
  tap php tests/php/run.sh "$prefix"
}

suite_panel() {
  tap panel tests/panel/run.sh "$prefix"
}

suite_bats() {
  tap bats env PATH="$prefix/bin:$PATH" PREFIX="$prefix" bats --formatter tap --jobs 3 --no-parallelize-within-files tests/bats
}

# A whole Debian, our packages on it, a restore, a power cut. Where no machine can be had, that is said and counts as nothing.
suite_field() {
  local log=$logs/field.log status
  wait "$machines"
  PROFILE=debug scripts/field.sh short 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  if ((status != 77)); then
    record field "$(grep -c '^ok ' "$log")" "$(grep -c '^not ok ' "$log")" "$status"
  fi
}

# The suites one after another. The machine's template comes over the network, meanwhile.
run() { # SUITE...
  local suite
  machines=
  if [[ " $* " == *' field '* ]]; then
    scripts/field.sh machines bookworm >"$logs/machines.log" 2>&1 &
    machines=$!
  fi
  for suite in "$@"; do
    "suite_$suite"
  done
}

suites=("$@")
((${#suites[@]})) || suites=(rust c php panel bats field)
[[ " ${suites[*]} " != *' field '* ]] || scripts/install-deps.sh --deb
if [[ " ${suites[*]} " =~ \ (c|php|panel|bats)\  ]] && ! install_prefix; then
  record build 0 1 1
fi

# Rust's suite takes as long as all others, and all of them wait for servers and pages much of their time: the two halves run side by side.
# What the others say is shown when Rust's has ended.
beside=()
for suite in "${suites[@]}"; do
  [[ $suite == rust ]] || beside+=("$suite")
done
if ((${#beside[@]} == ${#suites[@]} || ${#beside[@]} == 0)); then
  run "${suites[@]}"
else
  # A group of its own, which can be ended as one.
  set -m
  run "${beside[@]}" >"$logs/beside.log" 2>&1 &
  group=$!
  set +m
  trap 'kill -- "-$group" 2>/dev/null; exit 130' INT TERM
  run rust
  wait "$group"
  trap - INT TERM
  cat "$logs/beside.log"
fi

passed=0
failed=0
while IFS=$'\t' read -r name good bad; do
  [[ $name != lint ]] || continue
  passed=$((passed + good))
  failed=$((failed + bad))
done <"$results"
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
