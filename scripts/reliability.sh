#!/usr/bin/env bash
# The long form: every point of every case of tests/cases.tsv, the C programs with sanitizers, Miri, a while of fuzzing. Writes
# tests/RELIABILITY.md from what the tests reported. RV_SEED=N has random trials again; RV_POINTS=N takes N points of a trial; FUZZ_SECONDS a target (60; 0: none).
# RELIABILITY_ONLY='test(a01)' runs a part (a nextest filter) and leaves the rest of the last run's figures as they are. A case whose
# long form was not run has the outcome of the last `make test`, and the page says so.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
place=${CARGO_TARGET_DIR:-target}/reliability
mkdir -p "$place"
place=$(cd "$place" && pwd)
figures=$place/figures.jsonl
log=$place/tests.log
began=$(date +%s)
# Which code was tried, and for how long: a run in pieces may be of more than one commit.
pieces=$place/pieces.tsv
[[ -n ${RELIABILITY_ONLY:-} ]] || rm -f "$figures" "$log" "$pieces"

cargo nextest --version >/dev/null 2>&1 || cargo install --quiet --locked cargo-nextest || exit 1
filter=${RELIABILITY_ONLY:-'kind(test) | test(/(^|::)[a-g][0-9][0-9]_/)'}
RV_LONG=1 RV_FIGURES=$figures cargo nextest run --locked --no-fail-fast --profile long --color never -E "$filter" 2>&1 | tee -a "$log"

if [[ -z ${RELIABILITY_ONLY:-} ]]; then
  scripts/test.sh c 2>&1 | tee "$place/c.log"
  scripts/miri.sh 2>&1 | tee "$place/miri.log"
  if ((${FUZZ_SECONDS:-60} > 0)); then
    FUZZ_SECONDS=${FUZZ_SECONDS:-60} RV_FIGURES=$figures scripts/fuzz.sh 2>&1 | tee "$place/fuzz.log"
  fi
fi
cp "$place/../test-logs/rust.log" "$place/short.log" 2>/dev/null || true
printf '%s\t%d\n' "$(git rev-parse --short HEAD)" $(($(date +%s) - began)) >>"$pieces"
php scripts/reliability.php "$place" >tests/RELIABILITY.md.new && mv tests/RELIABILITY.md.new tests/RELIABILITY.md
grep -c '| \*\*failed\*\*' tests/RELIABILITY.md | { read -r failed; printf '%d cases failed; see tests/RELIABILITY.md\n' "$failed"; ((failed == 0)); }
