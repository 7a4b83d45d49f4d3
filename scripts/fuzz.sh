#!/usr/bin/env bash
# Fuzzes every target of fuzz/, one after the other, FUZZ_SECONDS each (600). A line a target: TARGET executions seconds crashes.
# What crashed is kept in fuzz/artifacts/TARGET; `scripts/fuzz.sh tar sql` fuzzes the named ones. RV_FIGURES=FILE gets the figures.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-600}
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(sed -nE 's|^path = "fuzz_targets/(.*)\.rs"|\1|p' fuzz/Cargo.toml)

command -v cargo-fuzz >/dev/null || cargo install --quiet --locked cargo-fuzz
# cargo-fuzz asks for flags that rustc calls unstable; the installed one has them.
export RUSTC_BOOTSTRAP=1
sanitizer=none
if compgen -G "$(rustc --print target-libdir)/librustc*_rt.asan.a" >/dev/null; then
  sanitizer=address
fi
cargo fuzz build --sanitizer "$sanitizer" >&2

# Installations that targets make; their processes are ended and clear up nothing.
place=$([[ -d /dev/shm ]] && printf /dev/shm || printf /tmp)
TMPDIR=$(mktemp -d "$place/rv-fuzz.XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

crashes_of() { # TARGET: how many files there are of crashes, hangs and memory that ran out
  find "fuzz/artifacts/$1" -type f 2>/dev/null | wc -l
}

total=0
for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
  log=$TMPDIR/log
  known=$(crashes_of "$target")
  begun=$SECONDS
  ended=0
  cargo fuzz run --sanitizer "$sanitizer" "$target" "fuzz/corpus/$target" "tests/corpus/$target" -- -max_total_time="$seconds" \
    -timeout=20 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 >"$log" 2>&1 || ended=$?
  took=$((SECONDS - begun))
  executions=$(sed -nE 's/^stat::number_of_executed_units: *([0-9]+).*/\1/p' "$log" | tail -n 1)
  crashes=$(($(crashes_of "$target") - known))
  # One that ended without leaving a file, a leak at its end, is one too.
  if ((ended != 0 && crashes == 0)); then
    crashes=1
  fi
  if ((crashes > 0)); then
    tail -n 60 "$log" >&2
  fi
  total=$((total + crashes))
  printf '%s %d %d %d\n' "$target" "${executions:-0}" "$took" "$crashes"
  if [[ -n ${RV_FIGURES:-} ]]; then
    printf '{"case":"fuzz","long":true,"figures":{"target":"%s","executions":%d,"seconds":%d,"crashes":%d,"sanitizer":"%s"}}\n' \
      "$target" "${executions:-0}" "$took" "$crashes" "$sanitizer" >>"$RV_FIGURES"
  fi
  find "$TMPDIR" -mindepth 1 -delete
done
((total == 0))
