#!/usr/bin/env bash
# Walks through every screen of the menus in a real terminal, on a real site with real restores, and keeps each screen as a
# text file: scripts/screens.sh FOLDER. `make screens` fills docs/screens. The helper is $SCREENS_HELPER, else the built one.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
export RESTORE_HELPER=${SCREENS_HELPER:-$(realpath "$target/debug/rocketvps-restore")}
out=$(realpath -m "${1:?scripts/screens.sh FOLDER}")
world=$PWD/tests/harness/world.sh
# shellcheck source=/dev/null
source tests/harness/terminal.bash

# The same paths on every machine: the world stands in /srv of a mount namespace of its own.
if [[ -z ${SCREENS_FOLDER:-} ]]; then
  SCREENS_FOLDER=$(mktemp -d /tmp/rv-screens.XXXXXX)
  chmod 0711 "$SCREENS_FOLDER"
  export SCREENS_FOLDER
  trap 'rm -rf "$SCREENS_FOLDER"' EXIT
  # shellcheck disable=SC2016  # expanded by the inner shell
  unshare --mount bash -c 'mount --bind "$SCREENS_FOLDER" /srv && exec "$@"' - "$0" "$out"
  exit
fi
place=/srv/rocketvps

finish() {
  terminal_end
  "$world" down "$place" >/dev/null 2>&1 || true
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

menus() { # COLUMNS ROWS [NAME=VALUE...]
  local columns=$1 rows=$2
  shift 2
  terminal_start "$columns" "$rows" env RV_CONFIG="$place/restore.toml" RESTORE_HELPER="$RESTORE_HELPER" TMPDIR=/srv/tmp LC_ALL= LANG=C.UTF-8 LANGUAGE=en \
    "$@" bash shell/restore_ui.sh
}

keep() { # NAME
  local before screen tries
  screen=$(terminal_screen)
  # What is only half drawn changes within a moment; what moves all the time is taken as it is.
  # shellcheck disable=SC2034  # only counts
  for tries in 1 2 3; do
    before=$screen
    sleep 0.1
    screen=$(terminal_screen)
    [[ $screen != "$before" ]] || break
  done
  printf '%s\n' "$screen" | sed 's/[[:space:]]*$//' >"$out/$1.txt"
  printf '%s\n' "$1"
}

see() { # TEXT NAME: waits for the text, keeps the screen
  terminal_wait "$1" 60
  keep "$2"
}

press() {
  terminal_keys "$@"
}

# Into the wizard with the N-th backup, to its components.
wizard() { # NUMBER
  press 1
  terminal_wait 'Available domains'
  press Enter
  terminal_wait 'Integrity'
  press "$1" Enter
  terminal_wait 'BACKUP INFORMATION' 60
  press c
  terminal_wait 'Choose what to restore'
}

# On from the components to the confirmation.
to_confirmation() {
  press c
  terminal_wait '[C] Continue  [Q] Cancel' 60
  press c
  terminal_wait 'SAFETY SNAPSHOT'
  press c
  terminal_wait "Type 'YES'"
}

mkdir -p "$out" /srv/tmp
rm -f "$out"/*.txt
"$world" up "$place" >/dev/null
# shellcheck source=/dev/null
source "$place/env"
good=$("$world" backup "$place" --layout guide --stamp 20251004_030000)
cp -p "$WORLD_ROOT/index.php" "$SCREENS_FOLDER/index.php"
printf '<?php http_response_code(500); exit("broken");\n' >"$WORLD_ROOT/index.php"
"$world" backup "$place" --layout guide --stamp 20251003_030000 >/dev/null
cp -p "$SCREENS_FOLDER/index.php" "$WORLD_ROOT/index.php"
head -c 1000000 "$good" >"$WORLD_BACKUPS/backup_20251002_030000.tar.gz"
moved=/srv/moved.sql
printf 'CREATE TABLE old_%s (id int PRIMARY KEY);\n' options posts >"$moved"
printf -- '-- Dump completed on 2025-10-04  3:00:00\n' >>"$moved"
# One that takes its time, to be cancelled.
mkdir "$WORLD_ROOT/wp-content/uploads/many"
(cd "$WORLD_ROOT/wp-content/uploads/many" && seq -f 'picture-%05g.jpg' 1 40000 | xargs touch)
"$world" backup "$place" --layout guide --stamp 20251001_030000 >/dev/null
rm -r "$WORLD_ROOT/wp-content/uploads/many"
"$world" damage "$place" >/dev/null

menus 80 24
see 'SMART RESTORE SYSTEM' 01-main-menu
press x
see "'x' is no choice here" 02-wrong-choice
press 1
see 'Available domains' 03-domains
press Enter
see 'Integrity' 04-backups
press End Enter
see 'Path (Enter: back)' 04-another-file
# An empty path is the way back.
press Enter
terminal_wait 'SMART RESTORE SYSTEM'
press 1
terminal_wait 'Available domains'
press Enter
terminal_wait 'Integrity'
press Enter
terminal_wait 'BACKUP INFORMATION' 60
keep 05-preview-files
press NPage NPage NPage
see 'Records:' 06-preview-database
press End
see 'Total Required' 07-preview-estimate
press c
see 'Selected: Full Restore' 08-components
press 3
see 'Selected: Files, Database' 09-components-toggled
press a
terminal_wait 'CUSTOM RESTORE SELECTION'
# Down to uploads: each key is a line of the list.
press Down Down Down Space
see 'Selected: 1 file groups' 10-custom-selection
press r
terminal_wait 'Selected: 0 file groups'
press q
terminal_wait 'Choose what to restore'
press 3
terminal_wait 'Full Restore'
press c
see 'DISK SPACE' 11-validation
terminal_wait '[C] Continue  [Q] Cancel' 60
press End
see '✓ All checks passed' 12-validation-end || keep 12-validation-end
press c
see 'is a copy in one folder' 13-snapshot-offer
press s
see 'Snapshot of' 14-snapshot-made
press Enter
see "Type 'YES'" 15-confirm
press no Enter
see 'nothing was changed' 16-not-confirmed
press Enter
terminal_wait 'SMART RESTORE SYSTEM'
wizard 1
to_confirmation
press YES Enter
see 'ACTIVE' 17-progress
see 'ALL VERIFICATION CHECKS PASSED' 18-report
press End
see 'The state before it is kept' 19-report-end
press Enter
terminal_wait 'SMART RESTORE SYSTEM'

# Cancelled while it stages.
wizard 4
to_confirmation
press YES Enter
terminal_wait 'ACTIVE' 60
terminal_resize 90 40
see 'Current: ' 17-progress-large-terminal
terminal_resize 80 24
press C-c
see 'Cancelling; the site goes back' 20-cancelling
see 'RESTORE CANCELLED' 21-cancelled
press Enter
terminal_wait 'SMART RESTORE SYSTEM'

# A backup whose site does not answer.
wizard 2
to_confirmation
press YES Enter
see 'RESTORE FAILED - AUTOMATIC ROLLBACK' 22-failure
press End
see 'ROLLBACK SUCCESSFUL' 23-failure-end
press Enter
terminal_wait 'SMART RESTORE SYSTEM'

# A damaged backup.
press 2
terminal_wait 'Available domains'
press Enter
terminal_wait 'Integrity'
press 3 Enter
see 'The backup is damaged' 24-damaged-backup
press Enter
terminal_wait 'SMART RESTORE SYSTEM'

press 4
terminal_wait 'Available domains'
press 2 Enter
see 'kept by a restore' 25-snapshots
press r
see 'Back to the state of' 26-rollback-confirm
press YES Enter
see 'ROLLBACK IN PROGRESS' 27-rollback-progress || true
see 'VERIFYING RESTORED SYSTEM' 28-rollback-report
press Enter
terminal_wait 'MANAGE SNAPSHOTS'
press End d
see 'tables it keeps are deleted' 29-delete-confirm
press YES Enter
terminal_wait 'MANAGE SNAPSHOTS' 60
press q
terminal_wait 'SMART RESTORE SYSTEM'

press 3
terminal_wait 'Available domains'
press Enter
terminal_wait 'Integrity'
press Enter
see ' new, ' 30-changes
press q
terminal_wait 'SMART RESTORE SYSTEM'
press 5
terminal_wait 'Available domains'
press 2 Enter
see 'FILE INTEGRITY' 31-verify
press q
terminal_wait 'SMART RESTORE SYSTEM'
press 6
see 'Started' 32-jobs
press Enter
see 'Took:' 33-job
press q
terminal_wait 'Started'
press q
terminal_wait 'SMART RESTORE SYSTEM'
press 7
see 'RESTORE LOGS' 34-logs
press Enter
see 'Domain: ' 35-log
press q
terminal_wait 'RESTORE LOGS'
press q
terminal_wait 'SMART RESTORE SYSTEM'
press 8
see 'Removed:' 36-recover
press q
terminal_wait 'SMART RESTORE SYSTEM'

# A rehearsal; and a dump of another program whose tables have another prefix.
press 9
terminal_wait 'Available domains'
press Enter
terminal_wait 'Integrity'
press Enter
see 'The live site is not touched' 42-rehearse
press c
see 'asking it for its pages' 43-rehearsing
terminal_wait 'THE BACKUP WORKS' 60
keep 44-rehearsal
press End
see 'Log:' 45-rehearsal-end
press q
terminal_wait 'SMART RESTORE SYSTEM'
press 2
terminal_wait 'Available domains'
press Enter
terminal_wait 'Integrity'
press End Enter
terminal_wait 'Path (Enter: back)'
press "$moved" Enter
terminal_wait 'database dump'
press Enter
see 'Its tables begin with' 46-prefix
press Enter
see "Which prefix is the site's?" 47-choose-prefix
press Enter
terminal_wait 'BACKUP INFORMATION' 60
press q
terminal_wait 'SMART RESTORE SYSTEM'

# The connection is lost in the middle of a restore; the next start offers to go on looking.
wizard 4
to_confirmation
press YES Enter
terminal_wait 'ACTIVE' 60
terminal_end
menus 80 24
see 'A RESTORE IS RUNNING' 37-running
press a
terminal_wait 'RESTORE IN PROGRESS'
press d
see 'GOES ON' 38-left
terminal_end
# It goes on, and comes to its end.
while "$RESTORE_HELPER" --config "$place/restore.toml" jobs --tsv jobs:kind,state | grep '^restore' | grep -qvE '(done|failed|rolled_back)$'; do
  sleep 0.2
done

# Other terminals.
menus 40 24
see 'The terminal has 40' 39-small-terminal
terminal_end
menus 80 24 LANG=C
see 'SMART RESTORE SYSTEM' 40-ascii-menu
press 2
terminal_wait 'Available domains'
press Enter
terminal_wait 'Integrity'
press Enter
see 'BACKUP INFORMATION' 41-ascii-preview
terminal_end

# Vietnamese.
menus 80 24 LANGUAGE=vi
see 'HỆ THỐNG PHỤC HỒI' 50-vi-main-menu
press 1
terminal_wait 'Các tên miền'
press Enter
terminal_wait 'Toàn vẹn'
press Enter
see 'THÔNG TIN SAO LƯU' 51-vi-preview
press c
see 'Phục hồi đầy đủ' 52-vi-components
press c
see 'DUNG LƯỢNG ĐĨA' 53-vi-validation
terminal_wait '[C] Tiếp tục  [Q] Hủy' 60
press c
see 'Snapshot di động' 54-vi-snapshot
press c
see "Gõ 'YES'" 55-vi-confirm
press YES Enter
see 'ĐANG CHẠY' 56-vi-progress
see 'MỌI KIỂM TRA ĐỀU ĐẠT' 57-vi-report
press q
terminal_wait 'HỆ THỐNG PHỤC HỒI'
press 9
terminal_wait 'Các tên miền'
press Enter
terminal_wait 'Toàn vẹn'
press Enter
see 'không bị động đến' 58-vi-rehearse
press c
terminal_wait 'BẢN SAO LƯU DÙNG ĐƯỢC' 60
keep 59-vi-rehearsal
press q
terminal_wait 'HỆ THỐNG PHỤC HỒI'
press q
terminal_end

# Whatever way they ended, the menus leave nothing of their own behind.
# shellcheck disable=SC2034  # only counts
for tries in 1 2 3 4 5 6 7 8 9 10; do
  [[ -n $(ls -A /srv/tmp) ]] || break
  sleep 0.3
done
if [[ -n $(ls -A /srv/tmp) ]]; then
  printf 'screens: the menus left something in their temporary folder: %s\n' "$(ls /srv/tmp)" >&2
  exit 1
fi
