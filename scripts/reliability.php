<?php
// Writes tests/RELIABILITY.md from what runs of scripts/reliability.sh left: php reliability.php FOLDER
[, $folder] = $argv;
$root = dirname(__DIR__);

/** Last outcome of each test, by its name, and whether it was its long form. */
function outcomes(string $log, bool $long): array
{
    $found = [];
    foreach (is_file($log) ? file($log) : [] as $line) {
        if (preg_match('~^\s+(?:TRY \d+ )?(PASS|FAIL|TIMEOUT|SIG(?!TERM|INT)\w+)\s+\[.*?\]\s+(?:\(.*?\)\s+)?(\S+)\s+(\S+)\s*$~', $line, $match)) {
            $parts = explode('::', $match[3]);
            $found[end($parts)] = [$match[1] === 'PASS', $long];
        }
    }
    return $found;
}

/** Figures by the case they name first. A later run of the same kind stands for an earlier one. */
function figures(string $file): array
{
    $found = [];
    foreach (is_file($file) ? file($file) : [] as $line) {
        $entry = json_decode($line, true);
        if (!is_array($entry)) {
            continue;
        }
        $kind = $entry['figures']['job'] ?? $entry['figures']['target'] ?? count($found[$entry['case']] ?? []);
        $kind = preg_replace('~, seed \d+~', '', (string) $kind);
        $found[$entry['case']][$kind] = $entry;
    }
    return $found;
}

function shown(array $figures): string
{
    $words = [];
    foreach ($figures as $name => $value) {
        $words[] = str_replace('_', ' ', (string) $name) . ' ' . (is_scalar($value) ? (is_float($value) ? round($value, 1) : $value) : json_encode($value, JSON_UNESCAPED_UNICODE));
    }
    return str_replace('|', '\|', implode(', ', $words));
}

$outcomes = array_merge(outcomes("$folder/short.log", false), outcomes("$folder/tests.log", true));
$figures = figures("$folder/figures.jsonl");
$sum = function (array $cases, string $field) use ($figures): int {
    $total = 0;
    foreach ($cases as $case) {
        foreach ($figures[$case] ?? [] as $entry) {
            $total += (int) ($entry['figures'][$field] ?? 0);
        }
    }
    return $total;
};
// The last one told: the long form where there is one.
$one = fn (string $case, string $field) => (array_values($figures[$case] ?? [[]])[max(0, count($figures[$case] ?? []) - 1)])['figures'][$field] ?? '?';

$cpu = trim((string) shell_exec("sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1"));
$memory = round((int) shell_exec("sed -nE 's/^MemTotal: *([0-9]+) kB/\\1/p' /proc/meminfo") / 1048576);
$pieces = array_map(fn ($line) => explode("\t", $line), file("$folder/pieces.tsv", FILE_IGNORE_NEW_LINES));
$commits = implode(' and ', array_unique(array_column($pieces, 0)));
$facts = [
    date('Y-m-d H:i'), trim((string) shell_exec('nproc')) . " cores ($cpu)", "$memory GiB",
    'Linux ' . php_uname('r'), trim((string) shell_exec('mariadbd --version 2>/dev/null | grep -oE "[0-9.]+-MariaDB" | head -n 1')),
    "commit $commits", round(array_sum(array_column($pieces, 1)) / 60) . ' minutes',
];
echo "# Reliability\n\n`make reliability` writes this page; do not edit it by hand.\nThe run: ", implode(', ', $facts), ".\n\n";
echo "The program promises this: after every fault, once recovered, files, database and site configuration are all byte by byte as before the job,\nor all as in the backup.\nNothing is left behind, and nobody else's data is changed.\nOne oracle checks this for all cases: `tests/all/world/oracle.rs`.\n\n";

echo "## Figures\n\n";
$lines = [
    'kill -9 at ' . $sum(['a01'], 'tried') . ' of ' . $sum(['a01'], 'points') . ' points at records of the journal, ' . $sum(['a02'], 'tried') . ' of ' . $sum(['a02'], 'points') . ' calls that change anything from the change-over on, ' . $sum(['a02_staging'], 'tried') . ' random calls while staging, ' . $sum(['a03'], 'tried') . ' points of recoveries, ' . $sum(['a04', 'a04_rollback'], 'tried') . ' of ' . $sum(['a04', 'a04_rollback'], 'points') . ' points of rollbacks',
    'power cut at ' . $sum(['a05'], 'tried') . ' of ' . $sum(['a05'], 'points') . ' points at records of the journal, ' . $sum(['a06'], 'tried') . ' between the exchange and its fsync',
    'mariadbd killed at ' . ($sum(['a09', 'a10'], 'tried') + $sum(['a12'], 'points')) . ' points of loads, renames and rollbacks',
];
// Each point is looked at by the oracle, and what it does not like ends the test as failed.
$crashes = array_filter($outcomes, fn ($name) => preg_match('~^a\d\d_~', $name), ARRAY_FILTER_USE_KEY);
$proven = $crashes && !array_filter($crashes, fn ($entry) => !$entry[0]);
foreach ($lines as $line) {
    echo "- $line: ", $proven ? '0 lost files, 0 lost rows, 0 mixed states, 0 leftovers' : '**not proven by this run: a test failed or was not run**', "\n";
}
$archives = array_filter($outcomes, fn ($name) => preg_match('~^c\d\d_~', $name), ARRAY_FILTER_USE_KEY);
$refused = array_filter($archives, fn ($entry) => $entry[0]);
echo '- hostile archives: ', count($refused), ' of ', count($archives), ' tests passed, with ', $sum(['c50'], 'cuts'), ' cuts, ', $sum(['c50'], 'flips'), ' flipped bits and ', $sum(['c43'], 'swaps'), ' swapped folders: ', $archives && $refused === $archives ? '0 writes outside' : '**not proven by this run**', "\n";
echo '- hostile dumps, each by several spellings, with the filter and without: ', implode('; ', array_map(fn ($case) => "$case: " . implode(', ', array_map(fn ($entry) => shown(array_intersect_key($entry['figures'], array_flip(['dumps', 'loads', 'writes_outside', 'foreign_rows_changed', 'sent', 'carried_out', 'refused']))), $figures[$case])), array_values(array_filter(array_keys($figures), fn ($case) => preg_match('~^d\d~', $case))))), "\n";
echo '- commit window p50 / p99: ', $one('f75', 'commit_ms_p50'), ' / ', $one('f75', 'commit_ms_p99'), ' ms over ', $one('f75', 'change_overs'), ' change-overs; visitors meanwhile: ', shown(is_array($one('f75', 'visitors')) ? array_diff_key($one('f75', 'visitors'), ['first_bad' => 0, 'bad' => 0]) : []), "\n";
echo '- recovery p50 / p99: ', $one('recovery', 'recovery_ms_p50'), ' / ', $one('recovery', 'recovery_ms_p99'), ' ms (', $one('recovery', 'recoveries'), ' of them); automatic rollback p50 / p99: ', round((float) $one('f86', 'rollback_ms_p50')), ' / ', round((float) $one('f86', 'rollback_ms_p99')), ' ms (', $one('f86', 'rollbacks'), ")\n";
$tenants = array_filter($outcomes, fn ($name) => preg_match('~^g\d\d_~', $name), ARRAY_FILTER_USE_KEY);
$held = array_filter($tenants, fn ($entry) => $entry[0]);
echo '- a tenant against its neighbours: ', count($held), ' of ', count($tenants), ' tests passed, with ', $sum(['g01'], 'claims'), ' claims on ', $one('g01', 'servers'), ' servers, ', $sum(['g02'], 'configurations'), ' configurations, ', $sum(['g07', 'g11', 'g14'], 'swaps'), ' swaps under ', $sum(['g07', 'g11', 'g14'], 'calls'), ' calls: ', $tenants && $held === $tenants ? '0 foreign rows changed, 0 files outside read or changed' : '**not proven by this run**', "\n";
foreach ($figures['f76'] ?? [] as $entry) {
    echo '- writers during a restore (', $entry['figures']['job'], '): ', shown(array_diff_key($entry['figures'], ['job' => 0])), "\n";
}
foreach ($figures['fuzz'] ?? [] as $entry) {
    echo '- fuzz ', shown($entry['figures']), "\n";
}

echo "\n## Case by case\n\n`make test` runs the short form of each: a few points, spread evenly. The long form has every point, where the row does not say otherwise.\n\n| case | what | tests | outcome | figures, or what stands for it |\n|---|---|---|---|---|\n";
foreach (file("$root/tests/cases.tsv", FILE_IGNORE_NEW_LINES) as $line) {
    if ($line === '' || $line[0] === '#') {
        continue;
    }
    [$case, $what, $note] = array_pad(explode("\t", $line), 3, '');
    $own = array_filter(array_keys($outcomes), fn ($name) => preg_match('~^(?:[a-g]\d\d_)*' . $case . '_~', $name));
    $good = array_filter($own, fn ($name) => $outcomes[$name][0]);
    $long = array_filter($own, fn ($name) => $outcomes[$name][1]);
    $state = !$own ? '**not run**' : (count($good) === count($own) ? 'passed' : '**failed**');
    $state .= $own && count($long) < count($own) ? ($long ? ' (' . count($long) . ' of ' . count($own) . ' in the long form)' : ' (short form)') : '';
    $said = [];
    foreach ($figures as $key => $entries) {
        if (preg_match("~(^|_)$case(_|$)~", $key)) {
            foreach ($entries as $entry) {
                $said[] = shown($entry['figures']) . ($entry['long'] ? '' : ' (short form)');
            }
        }
    }
    $tests = implode(', ', array_map(fn ($name) => "`$name`", $own));
    echo '| ', strtoupper($case[0]), ltrim(substr($case, 1), '0'), " | $what | $tests | $state | ", mb_strimwidth(implode('; ', array_filter(array_merge([$note], $said))), 0, 900, ' …'), " |\n";
}

echo "\n## Beside the cases\n\n";
foreach ([
    ['c.log', 'The C ABI as C programs see it, with AddressSanitizer and UBSan, under valgrind, without memory', '~== c: (\d+ passed, \d+ failed)~'],
    ['miri.log', 'Miri on the C boundary and what reads hostile text (`scripts/miri.sh`)', '~^miri: (.*)$~m'],
] as [$file, $what, $pattern]) {
    $text = is_file("$folder/$file") ? file_get_contents("$folder/$file") : '';
    echo "- $what: ", preg_match($pattern, $text, $match) ? $match[1] : 'not run', "\n";
}
$others = array_filter($outcomes, fn ($entry, $name) => !preg_match('~^[a-g]\d\d_~', $name), ARRAY_FILTER_USE_BOTH);
$bad = array_keys(array_filter($others, fn ($entry) => !$entry[0]));
echo '- Other tests of this run: ', count($others) - count($bad), ' passed', $bad ? ', **failed**: ' . implode(', ', $bad) : '', "\n";
