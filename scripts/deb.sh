#!/usr/bin/env bash
# Builds the Debian packages into target/deb: library, its header, helper with modules, PHP class. Built on Debian 12 they
# install on 12 and everything newer. lintian, where it is installed, judges them; an error of its ends the build.
# PROFILE=debug packs the debug build into target/deb-debug, for tests: quickly, and not judged.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${PROFILE:-release}
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
out=$target/deb

fail() { # TEXT
  printf 'deb: %s\n' "$1" >&2
  exit 1
}

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
packaged=$(dpkg-parsechangelog --show-field Version)
[[ $packaged == "$version" ]] || fail "debian/changelog says $packaged, Cargo.toml says $version"

options=(--locked)
if [[ $profile == debug ]]; then
  out=$target/deb-debug
  export DPKG_DEB_COMPRESSOR_TYPE=gzip DPKG_DEB_COMPRESSOR_LEVEL=1
else
  options+=(--release)
fi
tree=$out/source
cargo build "${options[@]}" >&2 || fail 'library and helper do not build'

# A copy of the sources: packing leaves its folders beside them.
rm -rf "$out"
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  [[ ! -e $file ]] || printf '%s\0' "$file"
done | tar --create --null --files-from=- | tar --extract --directory "$tree"
log=$out/build.log
if ! (cd "$tree" && BUILT=$target/$profile dpkg-buildpackage --build=binary --no-sign) >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  fail "dpkg-buildpackage failed; see $log"
fi
rm -rf "$tree"
if [[ $profile == debug ]]; then
  :
elif command -v lintian >/dev/null; then
  lintian --fail-on error --suppress-tags initial-upload-closes-no-bugs "$out"/*.changes >&2 || fail 'lintian found errors; they are above'
else
  printf 'deb: lintian is not installed; nothing judged the packages\n' >&2
fi
printf '%s\n' "$out"/*.deb
