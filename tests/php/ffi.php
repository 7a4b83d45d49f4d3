<?php
// The library in a PHP process, through FFI. Speaks TAP: php ffi.php PREFIX
declare(strict_types=1);

use RocketVps\{BackupException, RequestException, RestoreException, RocketVpsRestore};

require __DIR__ . '/../../bindings/php/RocketVpsRestore.php';
$prefix = $argv[1];
$world = __DIR__ . '/../harness/world.sh';
$folder = trim(`mktemp -d /tmp/rv-php.XXXXXX`);
chmod($folder, 0711);
$count = 0;
$failures = 0;

function check(bool $good, string $what, mixed $seen = null): void
{
    global $count, $failures;
    $count++;
    $failures += (int) !$good;
    printf("%sok %d - %s\n", $good ? '' : 'not ', $count, $what);
    if (!$good && $seen !== null) {
        echo '# got: ', substr(json_encode($seen) ?: '?', 0, 800), "\n";
    }
}

/** Runs a command and gives its output; fails loudly. */
function run(string ...$words): string
{
    exec(implode(' ', array_map('escapeshellarg', $words)), $lines, $status);
    if ($status !== 0) {
        throw new RuntimeException(implode(' ', $words) . ": exit $status");
    }
    return implode("\n", $lines);
}

/** The exception a call ends with. */
function thrown(callable $call): ?Throwable
{
    try {
        $call();
    } catch (Throwable $exception) {
        return $exception;
    }
    return null;
}

register_shutdown_function(function () use ($world, $folder) {
    exec(escapeshellarg($world) . ' down ' . escapeshellarg("$folder/w"));
    exec('rm -rf ' . escapeshellarg($folder));
});
run($world, 'up', "$folder/w");
$before = run($world, 'digest', "$folder/w");
run($world, 'backup', "$folder/w");
run($world, 'damage', "$folder/w");
$restore = new RocketVpsRestore("$prefix/lib/librocketvps_restore.so.1", "$prefix/include/rocketvps_restore.h", "$folder/w/restore.toml");

check((bool) preg_match('/^\d+\.\d+\.\d+/', $restore->version()), 'version', $restore->version());
$error = thrown(fn () => $restore->listBackups(['domain' => 'shop.example', 'nonsense' => 1]));
check($error instanceof RequestException && $error->name === 'unknown_field', 'an unknown field is a RequestException', $error?->getMessage());
$error = thrown(fn () => $restore->restoreStart(['domain' => 'shop.example', 'backup' => "$folder/w/base/backups/shop.example/backup_20200101_000000.tar.gz"]));
check($error instanceof BackupException && $error->name === 'backup_not_found' && $error->hint !== '', 'a missing backup is a BackupException', $error?->getMessage());
$error = thrown(fn () => $restore->restorePoll(['job' => 'no-such-job']));
check($error instanceof RestoreException, 'an unknown job is refused', $error?->getMessage());
check(thrown(fn () => $restore->dropEverything()) instanceof BadMethodCallException, 'an unknown method is refused');

$backups = $restore->listBackups(['domain' => 'shop.example'])['backups'];
check(count($backups) === 1 && str_contains($backups[0]['path'], 'backup_'), 'the backup is listed', $backups);
$memory = memory_get_usage();
for ($n = 0; $n < 2000; $n++) {
    $restore->listBackups(['domain' => 'shop.example']);
}
check(memory_get_usage() - $memory < 1 << 20, '2,000 calls leave no memory behind');

$job = $restore->restoreStart(['domain' => 'shop.example', 'backup' => 'latest'])['job'];
$percent = 0;
$falling = false;
$since = 0;
do {
    usleep(20000);
    $status = $restore->restorePoll(['job' => $job, 'since' => $since]);
    $falling = $falling || $status['percent'] < $percent;
    $percent = $status['percent'];
    foreach ($status['events'] as $event) {
        $since = $event['seq'];
    }
} while (!in_array($status['state'], ['done', 'failed', 'rolled_back', 'needs_operator'], true));
check($status['state'] === 'done', 'the restore is done', $status['error'] ?? $status);
check(!$falling, 'progress never goes back');
check($since > 0, 'the job told what it did');
check(run($world, 'digest', "$folder/w") === $before, 'the site is as it was in the backup', [$before, run($world, 'digest', "$folder/w")]);
echo "1..$count\n";
exit($failures === 0 ? 0 : 1);
