#!/usr/bin/env bash
# A real WordPress on its own MariaDB, PHP-FPM and nginx: backed up, damaged, restored under the eyes of a prober, rolled
# back and forward again. Everything lives in one temporary folder; nothing of it is left. Non-zero when anything is not as
# it was in the backup. DEMO_PROGRAM=…  DEMO_SITE=small|demo
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
program=$(realpath "${DEMO_PROGRAM:-${CARGO_TARGET_DIR:-target}/release/rocketvps-restore}")
world=$PWD/tests/harness/world.sh
[[ -x $program ]] || { printf 'demo: %s is not built; run make build\n' "$program" >&2; exit 1; }
((EUID == 0)) || { printf 'demo: run it as root: it starts MariaDB, PHP-FPM and nginx of its own\n' >&2; exit 1; }

folder=$(mktemp -d /tmp/rv-demo.XXXXXX)
# PHP-FPM reaches the site in it as www-data.
chmod 0711 "$folder"
place=$folder/w
wrong=()

finish() {
  "$world" down "$place" >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

bold='' plain='' green='' yellow='' red=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' plain=$'\e[0m' green=$'\e[32m' yellow=$'\e[33m' red=$'\e[31m'
fi

title() { # TEXT
  printf '\n%s── %s %s%s\n' "$bold" "$1" "$(printf '─%.0s' $(seq 1 $((74 - ${#1}))))" "$plain"
}

line() { # LABEL TEXT
  printf '  %-14s%s\n' "$1" "$2"
}

good() { # TEXT
  printf '  %s✓%s %s\n' "$green" "$plain" "$1"
}

bad() { # TEXT
  printf '  %s✗ %s%s\n' "$red" "$1" "$plain"
  wrong+=("$1")
}

rv() { # COMMAND ARGUMENT…
  "$program" --config "$place/restore.toml" "$@"
}

# The helper's text for 80 columns: without the folder of the demo, long lines in pieces, of long lists the first lines.
shown() { # [LINES-OF-A-LIST]
  local line piece indent run=0 hidden=0
  while IFS= read -r line; do
    if [[ $line == '    '* ]]; then
      if ((++run > ${1:-99})); then hidden=$((hidden + 1)) && continue; fi
    else
      ((hidden == 0)) || printf '      … and %d more\n' "$hidden"
      run=0 hidden=0
    fi
    line="  ${line//"$place"\//}"
    indent=${line%%[^ ]*}
    while ((${#line} > 78)); do
      piece=${line:0:78}
      [[ $piece != *[^\ ]*\ * ]] || piece=${piece% *}
      marked "$piece"
      line=${line:${#piece}}
      line="$indent  ${line# }"
    done
    marked "$line"
  done
  ((hidden == 0)) || printf '      … and %d more\n' "$hidden"
}

marked() { # LINE: with its mark in colour
  local line=${1/✓/$green✓$plain}
  line=${line/✗/$red✗$plain}
  printf '%s\n' "${line/ ! / $yellow!$plain }"
}

# The checks of a restore, from its report: group, outcome and message in columns.
checks() {
  local group outcome message last=''
  while IFS=$'\t' read -r group outcome message; do
    [[ $group == "$last" ]] || printf '%s\n' "${group//_/ }"
    last=$group
    case $outcome in
      pass) printf '  ✓ %s\n' "$message" ;;
      not_checked) printf '  – not checked: %s\n' "$message" ;;
      warn) printf '  ! %s\n' "$message" ;;
      *) printf '  ✗ %s\n' "$message" ;;
    esac
  done
}

number() { # JSON KEY
  grep -oE "\"$2\":[0-9.]+" <<<"$1" | head -n 1 | cut -d : -f 2
}

now() {
  local time=$EPOCHREALTIME
  printf '%d\n' "$((${time%.*} * 1000 + 10#${time#*.} / 1000))"
}

seconds() { # MILLISECONDS
  printf '%d.%02d s' "$(($1 / 1000))" "$(($1 % 1000 / 10))"
}

# Compares the whole machine of the site with a digest that was taken before.
same_as() { # FILE WHAT
  local part
  "$world" digest "$place" >"$folder/now"
  for part in files database config neighbour; do
    if [[ $(grep "^$part " "$1") == "$(grep "^$part " "$folder/now")" ]]; then
      good "$part: identical to $2"
    else
      bad "$part: not identical to $2"
    fi
  done
}

visitors_see() { # TEXT
  local page
  page=$("$world" fetch "$place" '' | tr '\n' ' ')
  if [[ $page == *"$1"* ]]; then
    good "visitors see \"$1\""
  else
    bad "visitors do not see \"$1\" but: ${page:0:60}"
  fi
}

title 'A site'
began=$(now)
"$world" up "$place" --site "${DEMO_SITE:-demo}" >/dev/null
# shellcheck source=/dev/null
source "$place/env"
files=$(find "$WORLD_ROOT" -type f | wc -l)
megabytes=$(du -sm --apparent-size "$WORLD_ROOT" | cut -f 1)
tables=$("$world" sql "$place" "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$WORLD_SCHEMA' AND table_type = 'BASE TABLE'")
rows=0
while read -r table; do
  rows=$((rows + $("$world" sql "$place" "SELECT COUNT(*) FROM \`$WORLD_SCHEMA\`.\`${table//\`/\`\`}\`")))
done < <("$world" sql "$place" "SELECT table_name FROM information_schema.tables WHERE table_schema = '$WORLD_SCHEMA' AND table_type = 'BASE TABLE'")
line WordPress "$files files, $megabytes MB, $tables tables, $rows rows"
line Services "MariaDB, PHP-FPM and nginx of its own, $(seconds $(($(now) - began))) to make it all"
visitors_see 'Rocket Shop'
"$world" digest "$place" >"$folder/good"
backup=$("$world" backup "$place")
line Backup "$(basename "$backup"), $(($(stat -c %s "$backup") / 1000000)) MB"

title 'Damage'
"$world" damage "$place"
"$world" digest "$place" >"$folder/damaged"
line Deleted "wp-admin, a year of uploads, a plugin, $((files - $(find "$WORLD_ROOT" -type f | wc -l))) files"
line Defaced 'the front page and the theme; a shell.php among the uploads'
line Database '4 tables dropped, posts deleted and renamed, a backdoor table'
line Configuration 'nginx site and TLS key broken, pool changed, cron gone'
visitors_see 0wned

title 'Backups'
rv list "$WORLD_DOMAIN" | shown

title 'What is in it'
rv preview "$WORLD_DOMAIN" | shown 6

title 'What would change'
rv diff "$WORLD_DOMAIN" --latest --limit 6 | shown

title 'Before the restore'
rv validate "$WORLD_DOMAIN" --latest | sed '/^Files /,$d' | shown

title 'Restore, with a visitor every 20 ms'
"$world" probe "$place" start demo
began=$(now)
job=$(rv restore "$WORLD_DOMAIN" --latest --yes --detach --field job)
if [[ -t 1 ]]; then rv attach "$job"; else rv attach "$job" | shown; fi
took=$(($(now) - began))
sleep 0.3
seen=$("$world" probe "$place" stop demo)

title 'What the restore has verified on the live site'
verified=$(rv wait "$job" --tsv 'verification.live.*.checks:^.name,outcome,message')
checks <<<"$verified" | shown
if [[ $verified != *$'\tpass\t'* || $verified == *$'\tfail\t'* ]]; then bad 'a verification failed'; fi

title 'Against the digest that was taken before the damage'
same_as "$folder/good" 'before the damage'
visitors_see 'Rocket Shop'

title 'Rolled back by hand, and forward again'
began=$(now)
undone=$(rv rollback "$WORLD_DOMAIN" --job "$job" --yes --field job)
back=$(($(now) - began))
line Back "$(seconds "$back")"
same_as "$folder/damaged" 'the damaged site'
began=$(now)
rv rollback "$WORLD_DOMAIN" --job "$undone" --yes >"$folder/forward"
forward=$(($(now) - began))
line Forward "$(seconds "$forward")"
same_as "$folder/good" 'before the damage'
visitors_see 'Rocket Shop'
strays=$("$world" strays "$place")
if [[ -z $strays ]]; then good 'nothing left lying about: no shadow schema, no loader account'; else bad "left lying about: $strays"; fi

title 'Summary'
failed=$(number "$seen" failed)
broken=$(number "$seen" wrong)
line Restored "$files files, $rows rows, configuration, in $(seconds "$took")"
line Downtime "$(number "$seen" downtime_ms) ms"
line Visitors "$(number "$seen" requests) requests, $failed failed, $broken wrong, $(number "$seen" mixed) while changing over"
line Answers "median $(number "$seen" median_ms) ms, slowest $(number "$seen" slowest_ms) ms"
line Rollback "$(seconds "$back") back, $(seconds "$forward") forward"
if ((failed > 0)); then bad "$failed requests failed"; fi
if ((broken > 0)); then bad "$broken answers were wrong: $(grep -oE '"bad":.*' <<<"$seen")"; fi
if ((${#wrong[@]} == 0)); then
  printf '\n  %s%sEverything is as it was in the backup.%s\n\n' "$bold" "$green" "$plain"
else
  printf '\n  %s%s%d things are not as they should be:%s\n' "$bold" "$red" "${#wrong[@]}" "$plain"
  printf '    %s\n' "${wrong[@]}"
  exit 1
fi
