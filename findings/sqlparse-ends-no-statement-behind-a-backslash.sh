#!/usr/bin/env bash
# PyPI sqlparse 0.6.1: behind the first value that ends in a backslash a whole dump is one statement.
#
# Guess: sqlparse.split() cuts a dump of MySQL where its statements end; it knows an escaped quote, so it knows an escaped backslash.
# Seen: a dump writes a backslash as two. At the end of a value (a namespace of PHP, a folder of Windows) the second one and the quote are taken for
# an escaped quote, and the value goes on to the last quote that there is: a hundred statements behind it are no statements. Django's RunSQL and
# many a loader cut by it: what should be sent one by one is sent at once, which a server refuses (1064). The other escapes are cut well, so that a trial with `it\'s` finds nothing.
#
# python3 with venv, and a network for packages. Fails when the behaviour is another one.
set -euo pipefail

place=$(mktemp -d /var/tmp/finding.XXXXXX)
trap 'rm -rf "$place"' EXIT
cd "$place"
python3 -m venv "$place/venv"
"$place/venv/bin/pip" --quiet --disable-pip-version-check install sqlparse==0.6.1 \
  >"$place/log" 2>&1 || { tail -n 5 "$place/log" >&2; exit 1; }

failed=0
expect() { # WHAT WANTED SEEN
  if [[ $3 == "$2" ]]; then
    printf 'as seen: %s: %s\n' "$1" "$2"
  else
    printf 'CHANGED: %s: %s (not: %s)\n' "$1" "${3:-nothing}" "$2"
    failed=1
  fi
}

pieces() { # SQL; how many
  "$place/venv/bin/python" -c 'import sqlparse, sys; print(len(sqlparse.split(sys.argv[1])))' "$1"
}
expect 'two statements' 2 "$(pieces "INSERT INTO t VALUES ('a'); INSERT INTO t VALUES ('b');")"
expect 'with an escaped quote' 2 "$(pieces "INSERT INTO t VALUES ('it\\'s; a'); INSERT INTO t VALUES ('b');")"
expect 'with a backslash within' 2 "$(pieces "INSERT INTO t VALUES ('App\\\\Models'); INSERT INTO t VALUES ('b');")"
expect 'with a backslash at the end' 1 "$(pieces "INSERT INTO t VALUES ('App\\\\'); INSERT INTO t VALUES ('b');")"
more=$(printf "INSERT INTO t VALUES ('b');\n%.0s" {1..100})
expect 'a hundred statements' 100 "$(pieces "$more")"
expect 'a hundred statements behind it' 1 "$(pieces "INSERT INTO t VALUES ('App\\\\');
$more")"
exit "$failed"
