#!/usr/bin/env bash
# npm tar 7.5.23: a link to /srv/shared/uploads is unpacked as one to srv/shared/uploads, and the promise is kept.
#
# Guess: a symbolic link that leads out of the folder is made as it is, as it was until 7.5.1, or is refused.
# Seen: the leading slash is taken off what the link says, so that it leads to a folder beside itself, which is not there: every picture of the
# site is gone, and an upload fails. The link is the one that deployments keep their uploads by. Only who asks for onwarn hears of it
# (TAR_ENTRY_INFO); strict makes an error of it. With preservePaths the link is right, and then names that lead out are taken too.
#
# node, npm and a network for packages, GNU tar. Fails when the behaviour is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
trap 'rm -rf "$place"' EXIT
cd "$place"
npm install --silent --ignore-scripts --no-fund --no-audit --prefix "$place" tar@7.5.23 old-tar@npm:tar@7.5.1 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }
printf 'node %s\n' "$(node --version)"

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

mkdir -p site/wp-content
ln -s /srv/shared/uploads site/wp-content/uploads
tar -cf site.tar site

unpack() { # MODULE OPTION...; what is said, and where the link leads
  local to
  to=$(mktemp -d "$place/XXXXXX")
  # shellcheck disable=SC2016 # JavaScript's own.
  node -e '
    const [module, cwd, ...options] = process.argv.slice(1);
    const onwarn = options.includes("onwarn") ? { onwarn: code => console.log("warned", code) } : {};
    const given = Object.fromEntries(options.map(name => [name, true]));
    const done = require(module).x({ ...given, file: "site.tar", cwd, ...onwarn });
    done.then(() => console.log("done"), () => console.log("failed"));
  ' "$1" "$to" "${@:2}" | tr '\n' ' '
  readlink "$to/site/wp-content/uploads" || echo none
}
expect 'as it is by default' 'done srv/shared/uploads' "$(unpack tar)"
expect 'who asks' 'warned TAR_ENTRY_INFO done srv/shared/uploads' "$(unpack tar onwarn)"
expect 'in strict mode' failed "$(unpack tar strict | cut -d ' ' -f 1)"
expect 'with preservePaths' 'done /srv/shared/uploads' "$(unpack tar preservePaths)"
expect 'release 7.5.1' 'done /srv/shared/uploads' "$(unpack old-tar)"
exit "$failed"
