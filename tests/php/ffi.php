<?php
// The class of before: the library in a PHP process, through FFI. Speaks TAP: php ffi.php PREFIX
declare(strict_types=1);

use RocketVps\{BackupException, RequestException, RestoreException, RocketVpsRestore};

require __DIR__ . '/harness/tap.php';
require __DIR__ . '/harness/World.php';
$prefix = $argv[1];
require "$prefix/share/php/RocketVps/RocketVpsRestore.php";
$world = new World();
$before = $world->digest();
$world->does('backup');
$world->does('damage');
$restore = new RocketVpsRestore("$prefix/lib/librocketvps_restore.so.1", "$prefix/include/rocketvps_restore.h", $world->config);

check((bool) preg_match('/^\d+\.\d+\.\d+/', $restore->version()), 'version', $restore->version());
$error = thrown(fn () => $restore->listBackups(['domain' => 'shop.example', 'nonsense' => 1]));
check($error instanceof RequestException && $error->name === 'unknown_field', 'an unknown field is a RequestException', $error?->getMessage());
$error = thrown(fn () => $restore->restoreStart(['domain' => 'shop.example', 'backup' => "$world->folder/w/base/backups/shop.example/backup_20200101_000000.tar.gz"]));
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
check($world->digest() === $before, 'the site is as it was in the backup', [$before, $world->digest()]);
finish();
