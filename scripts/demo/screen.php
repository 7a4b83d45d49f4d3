<?php
// Draws the documents of the helper for an 80-column terminal: php screen.php list|preview|changes|checks|watch|field … < DOCUMENT
declare(strict_types=1);

const WIDTH = 78;
$colour = stream_isatty(STDOUT) && getenv('NO_COLOR') === false;

function paint(string $text, string $name): string
{
    global $colour;
    $codes = ['red' => 31, 'green' => 32, 'yellow' => 33, 'cyan' => 36, 'dim' => 2, 'bold' => 1];
    return $colour ? "\e[{$codes[$name]}m$text\e[0m" : $text;
}

function size(int|float|null $bytes): string
{
    if ($bytes === null) {
        return 'unknown';
    }
    foreach (['bytes', 'kB', 'MB', 'GB'] as $unit) {
        if ($bytes < 1000 || $unit === 'GB') {
            return ($unit === 'bytes' ? (string) (int) $bytes : sprintf($bytes < 10 ? '%.1f' : '%.0f', $bytes)) . " $unit";
        }
        $bytes /= 1000;
    }
    return '';
}

function count_of(int|float|null $number): string
{
    return $number === null ? 'unknown' : number_format((float) $number);
}

function cut(string $text, int $width): string
{
    return mb_strwidth($text) <= $width ? $text : mb_strimwidth($text, 0, $width, '…');
}

function fill(string $text, int $width): string
{
    return $text . str_repeat(' ', max(0, $width - mb_strwidth($text)));
}

function bar(float $percent, int $width): string
{
    $done = (int) floor($width * min(100, $percent) / 100);
    return '[' . str_repeat('=', max(0, $done - 1)) . ($done > 0 ? '>' : '') . str_repeat(' ', $width - $done) . ']';
}

/** The `data` of a document on standard input; ends the program where it is an error. */
function data(string $text): array
{
    $document = json_decode($text, true);
    if (!is_array($document) || !($document['ok'] ?? false)) {
        refuse($document['error'] ?? ['code' => 'internal', 'message' => "no document: $text", 'hint' => '']);
    }
    return $document['data'];
}

/** What a restore would change: counts of each part, and its first entries. */
function draw_changes(array $changes): void
{
    $marks = ['added' => paint('+', 'green'), 'changed' => paint('~', 'yellow'), 'removed' => paint('-', 'red')];
    foreach (['files' => 'Files', 'tables' => 'Tables', 'config' => 'Configuration'] as $part => $title) {
        $found = $changes[$part] ?? null;
        if ($found === null) {
            continue;
        }
        $counts = [];
        foreach (['added', 'changed', 'removed', 'same', 'kept'] as $change) {
            if (isset($found[$change]) && ($found[$change] > 0 || $change === 'same')) {
                $counts[] = count_of($found[$change]) . " $change";
            }
        }
        echo fill("  $title", 16), implode(', ', $counts), "\n";
        $shown = array_filter($found['entries'], fn ($entry) => isset($marks[$entry['change']]));
        foreach (array_slice($shown, 0, 4) as $entry) {
            echo '    ', $marks[$entry['change']], ' ', cut($entry['path'] ?? $entry['name'], 60), "\n";
        }
    }
}

function refuse(array $error): never
{
    echo '  ', paint("✗ {$error['code']}: {$error['message']}", 'red'), "\n    {$error['hint']}\n";
    exit(1);
}

/** Wraps a sentence; every line but the first is indented. */
function sentence(string $text, int $width, string $indent): array
{
    return explode("\n", wordwrap($text, $width, "\n$indent", true));
}

function boxes(array $groups): bool
{
    $good = true;
    $marks = ['pass' => ['✓', 'green', '✓ PASS'], 'warn' => ['!', 'yellow', '! WARN'], 'fail' => ['✗', 'red', '✗ FAIL'],
        'not_checked' => ['–', 'dim', '– NOT CHECKED']];
    foreach ($groups as $group) {
        [, $shade, $word] = $marks[$group['outcome']];
        $title = strtoupper(str_replace('_', ' ', $group['name']));
        echo '┌', str_repeat('─', WIDTH - 2), "┐\n";
        echo '│ ', paint(fill($title, WIDTH - 4 - mb_strwidth($word)), 'bold'), paint($word, $shade), " │\n";
        foreach ($group['checks'] as $check) {
            [$mark, $shade] = $marks[$check['outcome']];
            $good = $good && $check['outcome'] !== 'fail';
            foreach (sentence($check['message'], WIDTH - 8, '') as $number => $line) {
                echo '│ ', $number === 0 ? paint($mark, $shade) : ' ', ' ', fill(cut($line, WIDTH - 6), WIDTH - 6), " │\n";
            }
        }
        echo '└', str_repeat('─', WIDTH - 2), "┘\n";
    }
    return $good;
}

/** Every list of check groups in a document, by the key it stands under. */
function groups_in(mixed $value, string $key = ''): array
{
    if (!is_array($value)) {
        return [];
    }
    if (array_is_list($value) && isset($value[0]['checks'], $value[0]['outcome'])) {
        return [$key => $value];
    }
    $found = [];
    foreach ($value as $name => $inner) {
        $found += groups_in($inner, (string) $name);
    }
    return $found;
}

function draw_list(array $data): void
{
    foreach ($data['backups'] as $number => $backup) {
        printf("  %d  %s  %8s  %-11s integrity %s%s\n", $number + 1, str_replace('T', ' ', $backup['date']), size($backup['size']),
            $backup['kind'], $backup['integrity'], $backup['file_count'] !== null ? ', ' . count_of($backup['file_count']) . ' files' : '');
        echo '     ', paint($backup['name'], 'dim'), "\n";
    }
}

/** The top folders with their counts, and what is in the largest of them; the nodes come as a flat list. */
function draw_tree(array $nodes): void
{
    $children = fn (string $above, int $depth) => array_values(array_filter($nodes, fn ($node) => $node['depth'] === $depth
        && str_ends_with($node['path'], '/') && str_starts_with($node['path'], $above)));
    $row = function (array $node, string $branch, int $above) {
        printf("   %s %s\n", fill(cut($branch . substr($node['path'], $above), 38), 38),
            paint(sprintf('(%s files, %s)', count_of($node['files']), size($node['bytes'])), 'dim'));
    };
    $tops = $children('', 0);
    $largest = $tops ? max(array_column($tops, 'bytes')) : 0;
    foreach ($tops as $number => $top) {
        $last = $number === count($tops) - 1;
        $row($top, $last ? '└── ' : '├── ', 0);
        if ($top['bytes'] === $largest) {
            $inner = $children($top['path'], 1);
            usort($inner, fn ($a, $b) => $b['bytes'] <=> $a['bytes']);
            $shown = array_slice($inner, 0, 4);
            foreach ($shown as $place => $node) {
                $row($node, ($last ? '    ' : '│   ') . ($place === count($shown) - 1 ? '└── ' : '├── '), strlen($top['path']));
            }
        }
    }
}

function draw_preview(array $data): void
{
    $data = $data['preview'] ?? $data;
    $backup = $data['backup'];
    printf("  Backup        %s, %s, %s, integrity %s\n", str_replace('T', ' ', (string) $backup['date']), size($backup['size']), $backup['compression'], $backup['integrity']);
    $files = $data['files'];
    printf("  Files         %s files, %s folders, %s\n", count_of($files['count']), count_of($files['folders']), size($files['bytes']));
    draw_tree($files['tree']);
    $types = [];
    foreach ($files['by_type'] as $name => $type) {
        $types[] = $name . ' ' . count_of(is_array($type) ? ($type['files'] ?? $type['count'] ?? null) : $type);
    }
    echo '   by type: ', implode(', ', $types), "\n";
    if (($database = $data['database']) !== null) {
        printf("  Database      %s, %s tables, %s rows, %s\n", $database['name'] ?? 'database', count_of($database['tables']), count_of($database['rows']), size($database['bytes']));
        $tables = $database['table_list'];
        usort($tables, fn ($a, $b) => ($b['rows'] ?? 0) <=> ($a['rows'] ?? 0));
        $named = array_map(fn ($table) => $table['name'] . ' ' . count_of($table['rows'] ?? null), array_slice($tables, 0, 3));
        echo '   most rows: ', implode(', ', $named), "\n";
    }
    echo '  Configuration ', implode(', ', array_map(fn ($file) => "{$file['item']} ({$file['name']})", $data['config'])), "\n";
    if ($data['estimate'] !== null) {
        printf("  Estimate      about %s s\n", count_of(ceil($data['estimate']['total_s'])));
    }
    $space = $data['space'];
    printf("  Space         %s needed, %s free\n", size($space['required']), size($space['available']));
    foreach ($data['warnings'] as $warning) {
        echo '  ', paint('! ', 'yellow'), implode("\n", sentence($warning, WIDTH - 6, '    ')), "\n";
    }
}

function call(string $helper, string $config, string $name, array $request): array
{
    $words = array_map('escapeshellarg', [$helper, '--config', $config, $name, json_encode($request, JSON_UNESCAPED_SLASHES)]);
    return data((string) shell_exec(implode(' ', $words)));
}

/** Follows a job to its end: boxes that are redrawn on a terminal, a line a second elsewhere. */
function watch(string $helper, string $config, string $job): void
{
    global $colour;
    $drawn = 0;
    $since = 0;
    $last = 0.0;
    do {
        usleep(80000);
        $status = call($helper, $config, 'restore_poll', ['job' => $job, 'since' => $since]);
        $ended = in_array($status['state'], ['done', 'failed', 'rolled_back', 'needs_operator'], true);
        foreach ($status['events'] as $event) {
            $since = max($since, $event['seq']);
        }
        $lines = [];
        $lines[] = sprintf('  %s %3.0f%%  %s', bar($status['percent'], 44), $status['percent'], paint(str_replace('_', ' ', $status['state']), 'bold'));
        foreach ($status['phases'] as $phase) {
            $mark = ['done' => paint('✓', 'green'), 'active' => paint('▸', 'cyan'), 'pending' => paint('·', 'dim')][$phase['state']] ?? '?';
            $figures = $phase['items_total'] === null ? ($phase['items'] ? count_of($phase['items']) : '') : count_of($phase['items']) . '/' . count_of($phase['items_total']);
            $bytes = $phase['bytes'] ? size($phase['bytes']) : '';
            $lines[] = sprintf('  %s %-15s %3.0f%%  %-15s %-8s %s', $mark, cut(str_replace('_', ' ', $phase['phase']), 15), $phase['percent'], $figures, $bytes, paint(fill(cut($phase['current'], 24), 24), 'dim'));
        }
        $remaining = $status['remaining_s'] === null ? '' : sprintf(', about %.0f s left', $status['remaining_s']);
        $lines[] = sprintf('  %.1f s%s   disk: read %.0f MB/s, written %.0f MB/s', $status['elapsed_s'], $remaining, $status['io']['read_mb_s'], $status['io']['write_mb_s']);
        if ($colour) {
            echo $drawn > 0 ? "\e[{$drawn}A" : '', implode("\e[K\n", $lines), "\e[K\n";
            $drawn = count($lines);
        } elseif ($ended || microtime(true) - $last >= 1) {
            $active = array_values(array_filter($status['phases'], fn ($phase) => $phase['state'] === 'active'));
            $names = array_map(fn ($phase) => sprintf('%s %.0f%%', $phase['phase'], $phase['percent']), $active);
            echo $lines[0], $names ? ' (' . implode(', ', $names) . ')' : '', "\n";
            $last = microtime(true);
        }
    } while (!$ended);
    if ($status['state'] !== 'done') {
        refuse($status['error'] ?? ['code' => $status['state'], 'message' => 'the job did not end well', 'hint' => '']);
    }
}

[, $what] = $argv;
if ($what === 'watch') {
    watch($argv[2], $argv[3], $argv[4]);
    exit(0);
}
$data = data((string) stream_get_contents(STDIN));
switch ($what) {
    case 'list':
        draw_list($data);
        break;
    case 'preview':
        draw_preview($data);
        break;
    case 'changes':
        draw_changes($data);
        break;
    case 'checks':
        // A restore reports the checks before it, of the staged state and of the live one: the named list, or the last.
        $all = groups_in($data);
        $name = $argv[2] ?? '';
        $groups = $all[$name] ?? end($all);
        if (!$groups) {
            refuse(['code' => 'internal', 'message' => 'the report holds no checks', 'hint' => json_encode($data)]);
        }
        exit(boxes($groups) ? 0 : 1);
    case 'field':
        // The first value under a key, wherever it stands.
        $found = null;
        array_walk_recursive($data, function ($value, $key) use (&$found, $argv) {
            if ($key === $argv[2]) {
                $found ??= $value;
            }
        });
        echo is_bool($found) ? var_export($found, true) : (string) $found, "\n";
        break;
}
