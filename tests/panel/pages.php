<?php

// What pages say of answers that a real engine gives rarely: each page is asked of the panel with an engine that says what it
// is told. Speaks the Test Anything Protocol: php pages.php [PANEL's folder]
declare(strict_types=1);

use RocketVps\Panel\Panel;
use RocketVps\Panel\Request;
use RocketVps\Panel\Response;
use RocketVps\Panel\Settings;
use RocketVps\Panel\Text;
use RocketVps\Panel\Zone;
use RocketVps\Restore\BrokerTransport;
use RocketVps\Restore\Client;

require __DIR__ . '/../php/harness/tap.php';
require ($argv[1] ?? __DIR__ . '/../../panel') . '/panel.php';

// Sessions begin before anything is written.
ob_start();
error_reporting(-1);
set_error_handler(static function (int $level, string $message, string $file, int $line): bool {
    if ((error_reporting() & $level) !== 0) {
        check(false, 'PHP has nothing to warn of', "$message in $file:$line");
    }
    return true;
});
$folder = sys_get_temp_dir() . '/rv-pages-' . getmypid();
mkdir($folder, 0700);
register_shutdown_function(static function () use ($folder): void {
    if (session_status() === PHP_SESSION_ACTIVE) {
        session_write_close();
    }
    array_map(unlink(...), (array) glob("$folder/*"));
    rmdir($folder);
});
ini_set('session.save_path', $folder);
// Another zone than the engine's.
date_default_timezone_set('America/New_York');

const DOMAIN = 'shop.example';

/** An engine that says what it is told. */
final class Told implements BrokerTransport
{
    /** @param array<string, array<string, mixed>> $answers the data of each call */
    public function __construct(private readonly array $answers)
    {
    }

    public function call(string $call, string $request, bool $waits = false): string
    {
        $data = $this->answers[$call] ?? null;
        return (string) json_encode($data !== null ? ['schema' => 1, 'ok' => true, 'data' => $data] : ['schema' => 1, 'ok' => false,
            'error' => ['code' => 'forbidden', 'number' => 10, 'message' => "no $call", 'hint' => '', 'context' => new stdClass()]]);
    }
}

/**
 * @param array<string, string> $query
 * @param array<string, array<string, mixed>> $answers
 */
function page(array $query, array $answers, string $language = 'en', ?Closure $audit = null): Response
{
    global $folder;
    $settings = new Settings('an', [DOMAIN], language: $language, base: '/restore', cache: $folder, client: new Client(new Told($answers)), audit: $audit);
    return Panel::answer($settings, new Request($query, [], ['REQUEST_URI' => '/restore?' . http_build_query($query), 'SCRIPT_NAME' => '/restore']));
}

/** What a page says, without its elements. */
function text(Response $response): string
{
    $body = (string) preg_replace('~<(head|nav|header)\b.*?</\1>~s', '', $response->body);
    return (string) preg_replace('/[\s\x{a0}]+/u', ' ', html_entity_decode(strip_tags($body), ENT_QUOTES | ENT_HTML5));
}

function title(Response $response): string
{
    return preg_match('~<h1>(.*?)</h1>~s', $response->body, $match) === 1 ? html_entity_decode($match[1], ENT_QUOTES | ENT_HTML5) : '';
}

/** The colour of the first thing on the page. */
function mood(Response $response): string
{
    return preg_match('/class="card alert ([a-z_]+)"/', $response->body, $match) === 1 ? $match[1] : '';
}

/** @param array<string, mixed> $fields */
function status(string $kind, string $state, array $fields = []): array
{
    static $number = 0;
    // Each a job of its own: the status of one is known for half a second.
    return $fields + ['job' => sprintf('20251004_101532_%04d', ++$number), 'kind' => $kind, 'domain' => DOMAIN, 'state' => $state, 'percent' => 100, 'phases' => [],
        'io' => ['total_mb_s' => 0, 'read_mb_s' => 0, 'write_mb_s' => 0], 'elapsed_s' => 12.5, 'remaining_s' => null,
        'started' => '2025-10-04T10:15:32+07:00', 'last_event' => 0, 'log' => null, 'events' => [], 'result' => null, 'error' => null];
}

/** @return array<string, mixed> */
function problem(string $code, string $hint = 'Start the server.'): array
{
    return ['code' => $code, 'number' => 70, 'message' => "what went wrong is $code", 'hint' => $hint, 'context' => ['phase' => 'commit']];
}

/** @param array<string, array<string, mixed>> $answers */
function job(array $status, string $language = 'en', array $answers = []): Response
{
    return page(['page' => 'job', 'job' => $status['job']], ['restore_poll' => $status] + $answers, $language);
}

/** @return array<string, mixed> */
function report(?string $outcome, array $fields = []): array
{
    return $fields + ['domain' => DOMAIN, 'source' => '/backups/a.tar.gz', 'snapshot' => '/snapshots/s', 'duration_s' => 61.5, 'commit_ms' => 12, 'files' => null,
        'database' => null, 'config' => [], 'went_on_with' => null, 'notes' => []]
        + ($outcome === null ? [] : ['verification' => ['outcome' => $outcome, 'staged' => [], 'live' => []]]);
}

/** @return array<string, mixed> */
function snapshot(?string $job, int $seconds = 86_400): array
{
    return ['path' => '/snapshots/s', 'name' => 's', 'form' => 'retained', 'created' => '2025-10-04T10:15:32', 'expires_in_h' => $seconds / 3600,
        'expires_in_s' => $seconds, 'size' => 0, 'size_text' => '0', 'job' => $job, 'files' => null, 'tables' => null, 'rows' => null, 'has_files' => true,
        'has_database' => true, 'has_config' => true];
}

function says(string $text, string ...$parts): bool
{
    foreach ($parts as $part) {
        if (!str_contains($text, $part)) {
            return false;
        }
    }
    return true;
}

// How a rollback ends.
$page = job(status('rollback', 'rolled_back', ['error' => problem('service_down')]));
check(title($page) === 'Rollback failed - it was undone' && mood($page) === 'warn', 'a rollback that was undone is called that', title($page));
check(says(text($page), 'The rollback was undone', 'from before you pressed Roll back') && !says(text($page), 'Rollback successful') && !says(text($page), 'restore attempt'), 'and says which state is live', text($page));
$page = job(status('rollback', 'failed', ['error' => problem('busy')]));
check(title($page) === 'Rollback failed - nothing was changed' && mood($page) === 'fail' && says(text($page), 'as it was before you pressed Roll back'), 'a rollback that did not begin changed nothing', text($page));
$page = job(status('rollback', 'needs_operator', ['error' => problem('needs_operator')]));
check(title($page) === 'Rollback failed - your help is needed' && mood($page) === 'fail', 'a rollback in between needs help', title($page));
check(says(text($page), 'then press Recover', 'Start the server.') && !says(text($page), 'main menu') && says($page->body, 'page=recover'), 'and has the button for it, not a menu', text($page));
$page = job(status('rollback', 'failed', ['error' => problem('cancelled')]));
check(title($page) === 'Cancelled: rollback' && mood($page) === 'warn', 'a cancelled rollback is no cancelled restore', title($page));

// How a restore ends, and what is none.
$page = job(status('restore', 'rolled_back', ['error' => problem('service_down')]));
check(says(title($page), 'Restore failed') && says(text($page), 'Rollback successful', 'before the restore attempt') && mood($page) === 'warn', 'a restore has the words of the menus', text($page));
$page = job(status('restore', 'failed', ['error' => problem('cancelled')]));
check(title($page) === 'Restore cancelled', 'a cancelled restore is called one', title($page));
$page = job(status('restore', 'needs_operator', ['error' => problem('needs_operator', '')]));
check(says(text($page), 'Press Recover') && !says(text($page), 'main menu') && !says(text($page), 'said below') && says($page->body, 'page=recover'), 'without a hint the page says itself what to do', text($page));
$page = job(status('validate', 'failed', ['error' => problem('cancelled')]));
check(title($page) === 'Cancelled: validation' && mood($page) === 'warn' && !says(text($page), 'estore cancelled'), 'a cancelled validation is no cancelled restore', title($page));
$page = job(status('validate', 'failed', ['error' => problem('cancelled')]), 'vi');
check(title($page) === 'Đã hủy: kiểm tra trước', 'nor in Vietnamese', title($page));
$page = job(status('recover', 'failed', ['error' => problem('needs_operator')]));
check(mood($page) === 'fail' && says($page->body, 'page=recover') && says(text($page), 'then press Recover'), 'a recovery that could not end can be asked for again', text($page));

// What is not green.
foreach (['failed' => 'fail', 'needs_operator' => 'fail', 'rolled_back' => 'warn', 'done' => 'warn'] as $state => $mood) {
    $page = job(status('restore', $state));
    check(mood($page) === $mood && says(text($page), 'The report of this job is lost'), "a job that is $state without a report says that it is lost", [mood($page), text($page)]);
    check(says($page->body, 'page=recover') === ($state === 'needs_operator'), "and offers a recovery where one is needed, here $state");
}
$recovery = static fn (array $recovered, array $busy = []): array => ['result' => ['recovered' => $recovered, 'busy' => $busy, 'orphans' => []]];
$page = job(status('recover', 'done', $recovery([])));
check(mood($page) === 'pass' && says(text($page), 'No job was left unfinished'), 'a recovery with nothing to do is green', text($page));
$page = job(status('recover', 'done', $recovery([['domain' => DOMAIN, 'job' => 'j1', 'state' => 'rolled_back'], ['domain' => 'neighbour.example', 'job' => 'j2', 'state' => 'done']])));
check(mood($page) === 'pass' && says(text($page), 'j1', 'rolled back') && says($page->body, 'page=job&amp;job=j1') && !says(text($page), 'neighbour'), 'it names the jobs, with their states, of the own domains', text($page));
$page = job(status('recover', 'done', $recovery([['domain' => DOMAIN, 'job' => 'j1', 'state' => 'needs_operator']])));
check(mood($page) === 'fail' && says($page->body, 'page=recover') && says(text($page), 'needs you', 'Press Recover'), 'what still needs somebody is red and offers the recovery', text($page));
$page = job(status('recover', 'done', $recovery([], [DOMAIN, 'neighbour.example'])));
check(mood($page) === 'warn' && says(text($page), 'being worked on') && preg_match('/class="plain busy">\s*<li>shop\.example<\/li>\s*<\/ul>/', $page->body) === 1, 'domains at work are named', text($page));
$page = job(status('cleanup', 'done', ['result' => ['later' => 1]]));
check(mood($page) === 'pass', 'what a later engine gives is green where it is done', text($page));

// What a report says of checks.
foreach (['pass' => true, 'warn' => true, 'fail' => false, 'not_checked' => false] as $outcome => $verified) {
    $page = job(status('restore', 'done', ['result' => report($outcome)]));
    check(says(text($page), 'successfully restored and verified') === $verified && says(text($page), '1m 01s'), "a report is called verified as it was, here $outcome", text($page));
}
$page = job(status('restore', 'done', ['result' => report(null)]));
check(!says(text($page), 'successfully') && says(text($page), 'has been restored in'), 'nor where nothing was checked', text($page));
$page = job(status('restore', 'done', ['result' => report('pass', ['recovered' => true, 'went_on_with' => ['job' => 'j7', 'files' => 21_132, 'tables' => 3]])]));
check(says(text($page), 'a recovery brought it to its end', 'interrupted job j7', '21,132 files and 3 tables'), 'a report says who finished it, and what it went on with', text($page));

$fresh = static fn (string $outcome): array => ['verification' => ['outcome' => 'pass', 'staged' => [], 'live' => [['name' => 'service_status', 'outcome' => 'pass', 'checks' => [['name' => 'freshness', 'outcome' => $outcome, 'message' => 'it is <fresh>']]]]]];
$page = job(status('restore', 'done', ['result' => report(null, $fresh('not_checked'))]));
check(substr_count(text($page), 'it is <fresh>') === 2, 'that nobody knows whether visitors see the restored site is said beside the verdict', text($page));
$page = job(status('restore', 'done', ['result' => report(null, $fresh('pass'))]));
check(substr_count(text($page), 'it is <fresh>') === 1, 'what is proven is among the evidence alone', text($page));

// A rehearsal: what each page answered, what was not proven, how long a restore takes.
$asked = static fn (string $outcome, string ...$pages): array => ['outcome' => $outcome, 'message' => 'not rehearsed: the kernel gives no namespaces', 'millis' => 600,
    'pages' => array_map(static fn (string $said): array => ['name' => 'front_page', 'outcome' => str_contains($said, '200') ? 'pass' : 'not_checked', 'message' => $said], $pages)];
$rehearsed = static fn (array $rehearsal, ?int $waits = null): array => ['result' => ['domain' => DOMAIN, 'source' => '/backups/a.tar.gz', 'outcome' => $rehearsal['outcome'], 'rehearsal' => $rehearsal,
    'staged' => [['name' => 'file_integrity', 'outcome' => 'pass', 'checks' => []]], 'recovery_s' => 61.5, 'change_over_ms' => $waits, 'files' => null, 'notes' => ['a note <of it>']]];
$page = job(status('rehearse', 'done', $rehearsed($asked('pass', '/ answers 200', '/?p=7 was not proven: it wants <more>'), 40)));
check(mood($page) === 'pass' && says(text($page), '✓ The backup works', '1m 01s', 'wait about 40 ms', 'Nothing was changed'), 'a rehearsal that proved the backup is green and says how long a restore takes', text($page));
check(says(text($page), 'PASS: / answers 200', 'NOT CHECKED: /?p=7 was not proven: it wants <more>', 'a note <of it>', 'File integrity'), 'it names each page with its verdict', text($page));
check(!says(text($page), 'kernel'), 'and no reason for what was done', text($page));
$page = job(status('rehearse', 'done', $rehearsed($asked('not_checked'))));
check(mood($page) === 'warn' && says(text($page), '– Restorable, not proven', 'not rehearsed: the kernel gives no namespaces') && !says(text($page), '✓ Rehearsal', 'ms'), 'one that proved nothing is not green, and says why', text($page));
$page = job(status('rehearse', 'done', $rehearsed($asked('not_checked'))), 'vi');
check(says(text($page), 'Phục hồi được, chưa được chứng minh', 'Chạy thử'), 'also in Vietnamese', text($page));
$page = job(status('restore', 'done', ['result' => report('pass', ['rehearsal' => $asked('pass', '/ answers 200')])]));
check(says(text($page), 'Rehearsal ✓ PASS', '/ answers 200'), 'the report of a restore has its rehearsal', text($page));
$page = job(status('restore', 'done', ['result' => report('pass', ['rehearsal' => $asked('not_checked')])]));
check(says(text($page), 'Rehearsal – NOT CHECKED', 'not rehearsed: the kernel'), 'or why there was none', text($page));

// The way back.
$status = status('restore', 'done', ['result' => report('pass')]);
$answers = ['restore_poll' => $status, 'list_snapshots' => ['domain' => DOMAIN, 'snapshots' => [snapshot($status['job'])]]];
$until = (new DateTimeImmutable('+1 day'))->setTimezone(new DateTimeZone('+07:00'))->format('Y-m-d H:i');
$before = (new DateTimeImmutable('+1 day -1 minute'))->setTimezone(new DateTimeZone('+07:00'))->format('Y-m-d H:i');
$page = page(['page' => 'job', 'job' => $status['job']], $answers);
check(says(text($page), "kept until $until") || says(text($page), "kept until $before"), 'until when it is kept is said in the zone of the engine', [$until, text($page)]);
$page = page(['page' => 'rollback', 'domain' => DOMAIN, 'job' => $status['job']], $answers);
check($page->status === 200 && (says(text($page), "kept until $until") || says(text($page), "kept until $before")), 'and on the page of the rollback', text($page));
$page = page(['page' => 'rollback', 'domain' => DOMAIN, 'job' => $status['job']], ['list_snapshots' => ['domain' => DOMAIN, 'snapshots' => [snapshot(null)]]] + $answers);
check($page->status === 404 && says(text($page), 'nothing to go back to') && !says($page->body, 'name="typed"'), 'without a snapshot nothing can be gone back to', text($page));
$status = status('validate', 'done');
$page = page(['page' => 'rollback', 'domain' => DOMAIN, 'job' => $status['job']], ['restore_poll' => $status, 'list_snapshots' => ['domain' => DOMAIN, 'snapshots' => [snapshot(null)]]]);
check($page->status === 404 && says(text($page), 'nothing to go back to'), 'nor to before a validation', text($page));
$page = page(['page' => 'snapshots', 'domain' => DOMAIN], ['list_snapshots' => ['domain' => DOMAIN, 'snapshots' => [snapshot(null, PHP_INT_MAX)]]]);
check($page->status === 200 && says(text($page), '9999-12-'), 'what is kept for ever is no error', text($page));

// The engine's zone.
symlink('/usr/share/zoneinfo/Asia/Ho_Chi_Minh', "$folder/localtime");
symlink('../usr/share/zoneinfo/Europe/Berlin', "$folder/berlin");
check(Zone::of(null, "$folder/localtime")->getName() === 'Asia/Ho_Chi_Minh', 'the zone is that of the machine', Zone::of(null, "$folder/localtime")->getName());
check(Zone::of('2025-10-04T10:15:32+02:00', "$folder/berlin")->getName() === 'Europe/Berlin', 'with its summer time, where the engine has the same');
check(Zone::of('2025-10-04T10:15:32+09:00', "$folder/berlin")->getName() === '+09:00', 'else that of what the engine says');
check(Zone::of('2025-10-04T10:15:32', "$folder/berlin")->getName() === 'Europe/Berlin', 'where that has an offset');
file_put_contents("$folder/copy", 'TZif2');
check(Zone::of(null, "$folder/copy")->getName() === 'America/New_York', 'PHP\'s own where nothing says it');
file_put_contents("$folder/timezone", "Asia/Tokyo\n");
check(Zone::of(null, "$folder/copy")->getName() === 'Asia/Tokyo', 'a copy of the rules has its name beside it');

// Pages beyond the last.
$counts = ['added' => 1, 'changed' => 0, 'removed' => 0, 'same' => 0, 'kept' => 0];
$status = status('diff', 'done', ['result' => ['files' => null, 'tables' => $counts + ['schema' => 'shop', 'dump' => 'a.sql', 'compared_by' => 'rows', 'rows' => ['live' => 0, 'backup' => 0, 'exact' => true], 'total' => 1, 'entries' => []], 'config' => null,
    'plan_token' => 't', 'domain' => DOMAIN, 'backup' => '/backups/a.tar.gz']]);
$entries = static fn (int $total): array => ['offset' => 5000, 'total' => $total, 'next' => null, 'entries' => [], 'job' => $status['job'], 'part' => 'tables'];
$page = page(['page' => 'changes', 'job' => $status['job'], 'offset' => '5000'], ['restore_poll' => $status, 'diff_backup' => $entries(1234)]);
check($page->status === 200 && says(text($page), 'the list ends after 1,234') && !says(text($page), 'Nothing here would change'), 'a page beyond the last of a comparison says so', text($page));
check(says($page->body, 'To the first page'), 'and leads back');
$page = page(['page' => 'changes', 'job' => $status['job']], ['restore_poll' => $status, 'diff_backup' => $entries(0)]);
check(says(text($page), 'Nothing here would change'), 'no change is no change', text($page));
check(says(text($page), 'Rows were counted, not compared'), 'rows that were counted alone are not called the same', text($page));

// Rows.
$rows = ['tables' => 1, 'not_compared' => 2, 'added' => 0, 'changed' => 1, 'removed' => 0, 'same' => 9, 'unlisted' => 3, 'most_listed' => 1000, 'total' => 1, 'entries' => []];
$compared = status('diff', 'done', ['result' => $status['result'] + ['rows' => $rows]]);
$row = ['table' => 'wp_users', 'change' => 'changed', 'key' => [['column' => 'ID', 'value' => ['text' => '7']]], 'columns' => [
    ['column' => 'user_pass', 'backup' => ['hidden' => true], 'live' => ['hidden' => true]],
    ['column' => 'note', 'backup' => ['text' => '<b>new</b>'], 'live' => []],
    ['column' => 'raw', 'backup' => ['hex' => 'ff00', 'length' => 2000], 'live' => ['text' => '']]]];
$page = page(['page' => 'changes', 'job' => $compared['job'], 'part' => 'rows'], ['restore_poll' => $compared, 'diff_backup' => ['part' => 'rows', 'entries' => [$row], 'total' => 1, 'offset' => 0] + $entries(1)]);
check(says(text($page), "user_pass: *** → ***") && says(text($page), "ID='7'") && says(text($page), "note: NULL → '<b>new</b>'"), 'rows are shown by their keys, secrets are not', text($page));
check(says(text($page), "raw: '' → 0xff00… (2.0 kB)") && !says($page->body, '<b>new'), 'what a row holds is text and no page', text($page));
check(says(text($page), 'those of 2 tables') && says(text($page), 'counted alone: 3'), 'what was not compared is said', text($page));

/** @return array<string, array<string, mixed>> */
function backup(int $total, array $tree = []): array
{
    $types = array_fill_keys(['php', 'js', 'css', 'images', 'other'], 0);
    $backup = ['path' => '/backups/a.tar.gz', 'name' => 'a.tar.gz', 'kind' => 'full', 'layout' => null, 'base' => null, 'date' => '2025-10-04T03:00:00', 'size' => 19_600_000,
        'size_text' => '19M', 'integrity' => 'valid', 'integrity_from' => null, 'file_count' => 21_132, 'db_tables' => null, 'dump' => null];
    $preview = [
        'backup' => $backup + ['compression' => 'gzip', 'domain' => DOMAIN],
        'chain' => ['archives' => [], 'dump' => null],
        'files' => ['count' => 21_132, 'folders' => 1, 'links' => 0, 'bytes' => 19_600_000, 'bytes_text' => '19M', 'by_type' => $types, 'document_root' => '/var/www', 'tree' => $tree,
            'top_folders' => [], 'application' => ['name' => null, 'version' => null, 'php' => null],
            'tree_page' => ['path' => 'nosuch/', 'depth' => 1, 'offset' => 0, 'limit' => 200, 'total' => $total]],
        'database' => null, 'config' => [], 'estimate' => null,
        'space' => ['current_used' => null, 'current_used_at' => null, 'backup_size' => 1, 'unpacked' => 1, 'snapshot' => 0, 'required' => 1, 'available' => null, 'enough' => null, 'filesystems' => []],
        'warnings' => [],
    ];
    return ['list_backups' => ['domain' => DOMAIN, 'backups' => [$backup]], 'preview_backup' => $preview + ['job' => 'j']];
}

$name = substr(hash('sha256', '/backups/a.tar.gz'), 0, 16);
$asked = ['domain' => DOMAIN, 'backup' => $name, 'at' => 'nosuch/'];
$page = page(['page' => 'preview'] + $asked, backup(0));
check($page->status === 200 && says(text($page), 'no folder of this name') && !says(text($page), 'This folder is empty'), 'a folder that is not there is not called empty', text($page));
$page = page(['page' => 'preview', 'at' => ''] + $asked, backup(0));
check(says(text($page), 'This folder is empty'), 'the top is there', text($page));
$page = page(['page' => 'tree'] + $asked, backup(0));
check(says(text($page), 'This folder is empty'), 'and so is what was listed before', text($page));
$page = page(['page' => 'preview', 'offset' => '900'] + $asked, backup(300));
check(says(text($page), 'the list ends after 300'), 'a page beyond the last of a folder says so', text($page));

// Numbers as in each language.
$page = page(['page' => 'preview'] + $asked, backup(0), 'vi');
check(says(text($page), '21.132 tệp', '19,6') && !says(text($page), '21,132') && !says(text($page), '19.6'), 'numbers are written as in Vietnamese', text($page));
$page = page(['page' => 'backups', 'domain' => DOMAIN], backup(0));
check(says(text($page), '21,132', '19.6 MB'), 'and as in English', text($page));
Text::speak('vi');
check([Text::number(1_234_567), Text::bytes(1_500), Text::bytes(999), Text::duration(1.25), Text::duration(61)] === ['1.234.567', "1,5\u{a0}kB", "999\u{a0}B", '1,3s', '1m 01s'], 'in each form', [Text::number(1_234_567), Text::bytes(1_500), Text::duration(1.25)]);

// A rehearsal of the newest backup, once for each form.
$page = page(['page' => 'drills', 'domain' => DOMAIN], ['list_drills' => ['drills' => []]]);
check(says(text($page), 'Rehearse the newest backup now', 'The live site is not touched'), 'a rehearsal can be started where the drills are', text($page));
preg_match('~<form method="post" action="([^"]*)"><input type="hidden" name="token" value="([^"]*)">\s*<input type="hidden" name="domain" value="' . DOMAIN . '">~', $page->body, $match);
check(str_contains(html_entity_decode($match[1] ?? ''), 'page=rehearse'), 'by a form', $match);
$send = static function (array $form) use ($folder): Response {
    $answers = ['rehearse' => ['job' => '20251004_101532_0000', 'state' => 'queued']];
    $settings = new Settings('an', [DOMAIN], language: 'en', base: '/restore', cache: $folder, client: new Client(new Told($answers)));
    return Panel::answer($settings, new Request(['page' => 'rehearse'], $form, ['REQUEST_URI' => '/restore?page=rehearse', 'SCRIPT_NAME' => '/restore', 'REQUEST_METHOD' => 'POST']));
};
$sent = ['token' => html_entity_decode($match[2] ?? ''), 'domain' => DOMAIN];
$begun = $send($sent);
check($begun->status === 303 && str_contains($begun->headers['Location'] ?? '', 'job=20251004_101532_0000'), 'it leads to the page of its job', [$begun->status, $begun->headers]);
check($send($sent)->status === 403, 'and begins no second one');
check($send(['token' => 'x', 'domain' => DOMAIN])->status === 403, 'nor does a form of somebody else');

// The lines of docs/panel.md for the audit.
$document = (string) file_get_contents(__DIR__ . '/../../docs/panel.md');
check(preg_match('/^audit: (static fn.*?),\n```$/ms', $document, $match) === 1, 'docs/panel.md hands the audit in');
$line = static fn (int $number): array => ['at' => sprintf('2025-10-04T10:%02d:%02d+07:00', intdiv($number, 60), $number % 60), 'user' => 'www-data', 'uid' => 33, 'pid' => 1, 'executable' => '',
    'call' => "call_$number", 'outcome' => 'ok'] + ($number % 2 === 0 ? ['on_behalf' => 'an'] : []);
$client = new Client(new Told(['audit' => ['calls' => array_map($line, range(1, 300))]]));
$audit = eval('return ' . str_replace('(new RocketVps\Restore\Client())', '$client', str_replace('static fn (string $domain)', 'fn (string $domain)', $match[1])) . ';');
$page = page(['page' => 'audit', 'domain' => DOMAIN], [], 'en', $audit);
check(says(text($page), 'call_300', 'call_101') && !str_contains(text($page), 'call_100 '), 'it shows the newest of many', text($page));
check(strpos(text($page), 'call_300') < strpos(text($page), 'call_299') && says(text($page), 'an (by www-data)'), 'the newest first, with whom it was for and who asked', text($page));
finish();
