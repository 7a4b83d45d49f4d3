#!/usr/bin/env bash
# Formatting, lints, shell scripts and the supply chain. Every check runs; the last line counts them.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
passed=0
failed=0

check() { # NAME COMMAND...
  local name=$1 log
  shift
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    printf 'ok   %s\n' "$name"
  else
    failed=$((failed + 1))
    printf 'FAIL %s\n' "$name"
    cat "$log"
  fi
  rm -f "$log"
}

mapfile -t shell_files < <(git ls-files -co --exclude-standard | while IFS= read -r file; do
  [[ -f $file ]] || continue
  if [[ $file == *.sh ]] || head -n 1 "$file" | tr -d '\0' | grep -qE '^#!.*\b(bash|sh)\b'; then
    printf '%s\n' "$file"
  fi
done)
mapfile -t bats_files < <(git ls-files -co --exclude-standard -- '*.bats' '*.bash')
mapfile -t php_files < <(git ls-files -co --exclude-standard -- '*.php')

lint_php() {
  printf '%s\0' "${php_files[@]}" | xargs -0 -n 1 -P "$(nproc)" php -l
}

php-cs-fixer_of_package() {
  (cd bindings/php && php-cs-fixer fix --dry-run --diff)
}

phpstan_of_package() {
  (cd bindings/php && phpstan analyse --no-progress)
}

# A path of one machine in the sources works on that machine only.
no_machine_paths() {
  ! git grep -nE '(^|[^a-z0-9])/(work|root/\.|home/[a-z]+/)' -- . ':!scripts/lint.sh' ':!Cargo.lock' ':!LICENSE' ':!tests/fixtures/foreign'
}

check rustfmt cargo fmt --check
# Modules named in a macro, which cargo fmt does not find.
check "rustfmt of layouts" rustfmt --check --edition 2024 src/backup/layout/*.rs src/backup/tool/*.rs
check clippy cargo clippy --locked --all-targets --quiet -- -D warnings
# Without the feature `test-support`, which every test turns on: only then the compiler sees what nothing but tests use.
check 'clippy of what is installed' cargo clippy --locked --lib --bins --quiet -- -D warnings
check rustdoc env RUSTDOCFLAGS='-D warnings -A rustdoc::private_intra_doc_links' cargo doc --locked --no-deps --document-private-items --quiet
check shellcheck shellcheck "${shell_files[@]}"
if ((${#bats_files[@]})); then
  check 'shellcheck of bats' shellcheck --shell=bats "${bats_files[@]}"
fi
check 'php -l' lint_php
# No Debian has these two.
for program in php-cs-fixer phpstan; do
  if command -v "$program" >/dev/null; then
    check "$program" "$program"_of_package
  else
    printf 'not checked: %s (it is not installed)\n' "$program"
  fi
done
check 'no machine paths' no_machine_paths
check 'cargo-deny (bans, licenses, sources)' cargo deny --locked check bans licenses sources
# The advisories are fetched; without a network they are not checked, and that is said.
if curl -fsI --max-time 10 -o /dev/null https://github.com/rustsec/advisory-db; then
  check 'cargo-deny (advisories)' cargo deny --locked check advisories
else
  printf 'not checked: advisories (their database cannot be reached)\n'
fi
printf '%d passed, %d failed\n' "$passed" "$failed"
if [[ -n ${RESULTS:-} ]]; then
  printf 'lint\t%d\t%d\n' "$passed" "$failed" >>"$RESULTS"
fi
((failed == 0))
