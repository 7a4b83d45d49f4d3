<?php

// The package in pages under PHP-FPM, as www-data, whose calls go through the broker. Speaks TAP: php fpm.php PREFIX
declare(strict_types=1);

use RocketVps\Restore\FfiTransport;
use RocketVps\Restore\LibraryTransport;

foreach (['tap', 'World', 'Broker', 'Fpm', 'FastCgi', 'reach'] as $part) {
    require __DIR__ . "/harness/$part.php";
}
const RULES = "[[rule]]\nuser = \"www-data\"\ndomains = [\"shop.example\"]\ncalls = [\"list_backups\", \"restore_start\", \"restore_poll\"]\n";
const MAX_REQUESTS = 5;

$prefix = $argv[1];
$world = new World();
$good = $world->digest();
$world->does('backup');
$world->does('damage');
$autoload = $world->package($prefix);
$package = dirname($autoload);
$broker = new Broker($world, "$prefix/bin/rocketvps-restore", RULES);
// Where www-data may read them.
copy("$prefix/bin/rocketvps-restore", "$world->folder/rocketvps-restore");
foreach (['page.php', 'probe.php', 'harness/reach.php'] as $file) {
    copy(__DIR__ . "/$file", "$world->folder/" . basename($file));
}
chmod("$world->folder/rocketvps-restore", 0755);
$library = ['LD_LIBRARY_PATH' => "$prefix/lib"];
$preloaded = new Fpm($world->folder, 'preloaded', [
    'ffi.enable' => 'preload',
    'ffi.preload' => "$package/rocketvps_restore.ffi.h",
    'opcache.enable' => '1',
    'opcache.preload' => "$package/preload.php",
    'opcache.preload_user' => 'www-data',
], $library, MAX_REQUESTS);
// As Debian has it: FFI for the command line and preloaded code only, and nothing is preloaded.
$plain = new Fpm($world->folder, 'plain', ['ffi.enable' => 'preload'], $library, MAX_REQUESTS);

/** What a page answers; the query's other parts are those of every page. */
function page(Fpm $fpm, string $transport, array $more = []): array
{
    global $world, $broker, $autoload;
    $query = ['transport' => $transport, 'autoload' => $autoload, 'socket' => $broker->socket, 'config' => $world->config, 'helper' => "$world->folder/rocketvps-restore"];
    $text = (new FastCgi($fpm->socket))->get("$world->folder/page.php", http_build_query($query + $more));
    return json_decode($text, true) ?? ['text' => $text];
}

/** Whether many pages in a row are answered, by several workers. */
function answers(Fpm $fpm, string $transport, int $pages): array|bool
{
    $pids = [];
    for ($n = 0; $n < $pages; $n++) {
        $page = page($fpm, $transport);
        if (($page['answer'] ?? null) !== 1 || $page['user'] !== 'www-data') {
            return $page + ['page' => $n];
        }
        $pids[$page['pid']] = true;
    }
    return count($pids) > 2 ? true : ['workers' => count($pids)];
}

$pages = 4 * MAX_REQUESTS;
foreach ([['socket', $plain], ['process', $plain], ['socket', $preloaded], ['ffi', $preloaded]] as [$transport, $fpm]) {
    $where = $fpm === $plain ? 'PHP-FPM' : 'PHP-FPM with preloading';
    $seen = answers($fpm, $transport, $pages);
    check($seen === true, "$transport under $where, across recycled workers", [$seen, $fpm->log()]);
}
// PHP lets a page connect to a socket outside of open_basedir, and does not let it ask whose it is.
$page = page($plain, 'socket', ['open_basedir' => dirname($package)]);
check(($page['name'] ?? null) === 'transport_failed' && str_contains($page['message'], 'whose'), 'socket outside of open_basedir is not asked', $page);
$page = page($plain, 'socket', ['open_basedir' => dirname($package) . ":$broker->socket"]);
check(($page['answer'] ?? null) === 1, 'socket within open_basedir', $page);
$page = page($plain, 'ffi');
check(($page['name'] ?? null) === 'transport_failed', 'ffi that is not preloaded says so', $page);
$page = page($preloaded, 'ffi_load');
check(($page['name'] ?? null) === 'transport_failed', 'preloading lets no page load a library by its name', $page);

// Whoever has the FFI object or what its functions return can read and write any memory of the process.
$text = (new FastCgi($preloaded->socket))->get("$world->folder/probe.php", http_build_query(['autoload' => $autoload]));
$probe = json_decode($text, true);
check(($probe['found'] ?? null) === [], 'a page gets no FFI from the preloaded transport', $probe['found'] ?? $text);
check(($probe['inside'] ?? 0) > 0 && in_array(FfiTransport::class, $probe['preloaded'], true), 'the page looked from inside of calls', $probe);
require $autoload;
$seen = ffi_in(new LibraryTransport("$prefix/lib/" . LibraryTransport::NAME), 'here');
check($seen !== [], 'what looks for FFI finds it where it is', $seen);
// Somebody who preloads more than preload.php does.
file_put_contents("$world->folder/more.php", "<?php require '$package/preload.php'; require '$package/LibraryTransport.php';");
$more = new Fpm($world->folder, 'more', [
    'ffi.enable' => 'preload',
    'opcache.enable' => '1',
    'opcache.preload' => "$world->folder/more.php",
    'opcache.preload_user' => 'www-data',
], $library, MAX_REQUESTS);
$page = page($more, 'ffi_load');
check(($page['name'] ?? null) === 'transport_failed', 'nor does preloading the class that loads one', $page);

// A reload preloads again.
foreach (['socket' => $plain, 'ffi' => $preloaded] as $transport => $fpm) {
    for ($n = 1; $n <= 3; $n++) {
        check($fpm->reload(), "$transport: reload $n", $fpm->log());
        $seen = answers($fpm, $transport, $pages);
        check($seen === true, "$transport: pages are answered after reload $n", [$seen, $fpm->log()]);
    }
}

// A restore that a page begins goes on while PHP-FPM is reloaded, and under each transport the site comes back.
foreach (['socket' => $plain, 'process' => $plain, 'ffi' => $preloaded] as $transport => $fpm) {
    $job = page($fpm, $transport, ['do' => 'restore'])['answer'] ?? null;
    check(is_string($job), "$transport: a page begins a restore", $job);
    check($fpm->reload(), "$transport: a reload while it is restored");
    $state = null;
    becomes(static function () use ($fpm, $transport, $job, &$state): bool {
        thrown(static function () use ($fpm, $transport, $job, &$state): void {
            $state = page($fpm, $transport, ['do' => 'state', 'job' => $job])['answer'] ?? null;
        });
        return in_array($state, ['done', 'failed', 'rolled_back', 'needs_operator'], true);
    }, 200);
    check($state === 'done', "$transport: pages see it end, across a reload", $state);
    check($world->digest() === $good, "$transport: the site is as it was in the backup");
    $world->does('damage');
}
finish();
