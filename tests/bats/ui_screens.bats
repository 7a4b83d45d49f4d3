#!/usr/bin/env bats
# Every screen of the menus in a real terminal, on real restores: scripts/screens.sh walks through them, these tests look.

bats_require_minimum_version 1.5.0

setup_file() {
  export SCREENS=$BATS_FILE_TMPDIR/screens
  # That the walk came to its end is what it says itself: it waits for every screen, and looks for what the menus left behind.
  SCREENS_HELPER=$PREFIX/bin/rocketvps-restore "$BATS_TEST_DIRNAME/../../scripts/screens.sh" "$SCREENS" >"$BATS_FILE_TMPDIR/log" 2>&1 || {
    cat "$BATS_FILE_TMPDIR/log" >&2
    return 1
  }
}

screens_with() { # TEXT
  grep -lF -- "$1" "$SCREENS"/*.txt | wc -l
}

@test "the screens that are kept in docs are those that there are" {
  diff <(cd "$SCREENS" && ls) <(cd "$BATS_TEST_DIRNAME/../../docs/screens" && ls)
}

# shellcheck disable=SC2016  # PHP's variables
@test "no line is wider than its terminal, and every frame is closed at the same column" {
  php -r '
    $wrong = [];
    foreach (glob("$argv[1]/*.txt") as $file) {
      $name = basename($file);
      $large = str_contains($name, "large");
      $lines = file($file, FILE_IGNORE_NEW_LINES);
      if (count($lines) > ($large ? 40 : 24)) { $wrong[] = "$name has " . count($lines) . " lines"; }
      foreach ($lines as $number => $line) {
        $at = "$name:" . ($number + 1);
        // U+23F8 is narrow on a terminal.
        $width = mb_strwidth($line) + preg_match_all("/[📊📁💾⏳✅🔄]/u", $line) - array_sum(array_map(fn ($l) => mb_strwidth($l) - 1, preg_match_all("/[📊📁💾⏳✅🔄⏸]/u", $line, $m) ? $m[0] : []));
        if ($width > ($large ? 90 : 80)) { $wrong[] = "$at is $width wide"; }
        if (preg_match("/^[║│╔╚┌└├]/u", $line) && !preg_match("/^├──|^└──/u", $line) || preg_match("/^[+|].*[+|]$/", $line)) {
          if (!preg_match("/[║│╗╝┐┘┤+|]$/u", $line) || $width !== 66) { $wrong[] = "$at: the frame ends at $width: $line"; }
        }
      }
    }
    echo implode("\n", $wrong), "\n";
    exit($wrong ? 1 : 0);' "$SCREENS"
}

@test "no screen shows a document, a key of the catalogue or a complaint of the shell" {
  run ! grep -nE '\{"|"\}|bash: |line [0-9]+: |command not found|unbound' "$SCREENS"/*.txt
  run ! grep -nE '(^| )(title|label|state|code|group|keys|head|menu|outcome)_[a-z_]+' "$SCREENS"/*.txt
}

@test "the screens of the seed are there" {
  [[ $(screens_with 'BACKUP PREVIEW') -ge 3 && $(screens_with 'SELECT RESTORE COMPONENTS') -ge 2 ]]
  [[ $(screens_with 'CUSTOM RESTORE SELECTION') -ge 1 && $(screens_with 'CREATING SAFETY SNAPSHOT') -ge 2 ]]
  [[ $(screens_with 'RESTORE IN PROGRESS') -ge 2 && $(screens_with 'RESTORE FAILED - AUTOMATIC ROLLBACK') -ge 1 ]]
  [[ $(screens_with 'VERIFYING RESTORED SYSTEM') -ge 2 && $(screens_with 'ALL VERIFICATION CHECKS PASSED') -ge 2 ]]
  [[ $(screens_with 'ROLLBACK SUCCESSFUL') -ge 1 && $(screens_with "Type 'YES'") -ge 1 ]]
}

@test "a restore whose terminal went away is offered again" {
  grep -q 'A restore of shop.example is at work' "$SCREENS"/37-running.txt
}

@test "a terminal that is too small says how large it has to be" {
  tr '\n' ' ' <"$SCREENS"/39-small-terminal.txt | grep -q '40 columns.*need 60'
}

@test "without UTF-8 there is nothing but ASCII" {
  run ! grep -P '[^\x00-\x7F]' "$SCREENS"/40-ascii-menu.txt "$SCREENS"/41-ascii-preview.txt
  grep -q '^+===' "$SCREENS"/40-ascii-menu.txt
}
