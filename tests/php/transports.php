<?php

// The package over each of its transports, against the engine: the same calls and the same checks. The socket's client is
// www-data. Speaks TAP: php transports.php PREFIX
declare(strict_types=1);

use RocketVps\Restore\Answer\Approval;
use RocketVps\Restore\Answer\AuditLine;
use RocketVps\Restore\Answer\Begun;
use RocketVps\Restore\Answer\DomainInfo;
use RocketVps\Restore\Answer\FinishedCleanup;
use RocketVps\Restore\Answer\FinishedComparison;
use RocketVps\Restore\Answer\FinishedPreview;
use RocketVps\Restore\Answer\FinishedRecovery;
use RocketVps\Restore\Answer\FinishedReport;
use RocketVps\Restore\Answer\FinishedSnapshotDeleted;
use RocketVps\Restore\Answer\FinishedSnapshotMade;
use RocketVps\Restore\Answer\FinishedValidation;
use RocketVps\Restore\Answer\FinishedVerification;
use RocketVps\Restore\Answer\JobInfo;
use RocketVps\Restore\Answer\JobStatus;
use RocketVps\Restore\Answer\LogInfo;
use RocketVps\Restore\Answer\PageOfFileEntry;
use RocketVps\Restore\Answer\Report;
use RocketVps\Restore\Answer\SnapshotInfo;
use RocketVps\Restore\Client;
use RocketVps\Restore\Enum\Change;
use RocketVps\Restore\Enum\ErrorCode;
use RocketVps\Restore\Enum\JobKind;
use RocketVps\Restore\Enum\JobState;
use RocketVps\Restore\Enum\Outcome;
use RocketVps\Restore\Enum\Part;
use RocketVps\Restore\Exception\BackupException;
use RocketVps\Restore\Exception\RequestException;
use RocketVps\Restore\Exception\RestoreException;
use RocketVps\Restore\LibraryTransport;
use RocketVps\Restore\ProcessTransport;
use RocketVps\Restore\Request\AnyDomainRequest;
use RocketVps\Restore\Request\DeleteSnapshotRequest;
use RocketVps\Restore\Request\DiffRequest;
use RocketVps\Restore\Request\DomainRequest;
use RocketVps\Restore\Request\JobRequest;
use RocketVps\Restore\Request\LogRequest;
use RocketVps\Restore\Request\PreviewRequest;
use RocketVps\Restore\Request\RestoreRequest;
use RocketVps\Restore\Request\RollbackRequest;
use RocketVps\Restore\SocketTransport;

foreach (['tap', 'account', 'World', 'Broker'] as $part) {
    require __DIR__ . "/harness/$part.php";
}
const RULES = "[[rule]]\nuser = \"www-data\"\ndomains = [\"*\"]\ncalls = [\"*\"]\n";
const APPROVAL_RULES = RULES . "approval = true\n[[rule]]\nuser = \"root\"\ndomains = [\"*\"]\ncalls = [\"list_approvals\", \"approve\"]\n";
const DOMAIN = World::DOMAIN;

$prefix = $argv[1];
$world = new World();
$good = $world->digest();
$world->does('backup');
$world->does('damage');
$autoload = $world->package($prefix);
$broker = new Broker($world, "$prefix/bin/rocketvps-restore", RULES);
require $autoload;

/** The errors that a caller meets, each with its exception. */
function refusals(string $name, Client $client, World $world): void
{
    $error = thrown(static fn () => $client->call('list_backups', ['domain' => DOMAIN, 'nonsense' => 1]));
    check($error instanceof RequestException && $error->is(ErrorCode::UnknownField) && $error->number === 11, "$name: an unknown field is refused", $error);
    $backup = "$world->folder/w/base/backups/" . DOMAIN . '/backup_20200101_000000.tar.gz';
    $error = thrown(static fn () => $client->restoreStart(new RestoreRequest(DOMAIN, $backup)));
    check($error instanceof BackupException && $error->name === 'backup_not_found' && $error->hint !== '', "$name: a missing backup is refused", $error);
    $error = thrown(static fn () => $client->restorePoll(new JobRequest('20251004_030000_0123456789ab')));
    check($error instanceof RequestException && $error->is(ErrorCode::JobNotFound), "$name: an unknown job is refused", $error);
    $error = thrown(static fn () => $client->listBackups(new DomainRequest('../etc')));
    check($error instanceof RequestException, "$name: a domain that is a path is refused", $error);
    $error = thrown(static fn () => $client->call('no_such_call'));
    check($error instanceof RestoreException, "$name: an unknown call is refused", $error);
}

/** What can be seen without a change. */
function readings(string $name, Client $client): void
{
    $domains = array_map(static fn (DomainInfo $info): string => $info->domain, $client->listDomains()->domains);
    check(in_array(DOMAIN, $domains, true), "$name: list_domains", $domains);
    $backups = $client->listBackups(new DomainRequest(DOMAIN))->backups;
    check(count($backups) === 1 && str_contains($backups[0]->path, '/backup_') && $backups[0]->size > 0, "$name: list_backups", $backups);
    $preview = $client->previewBackup(new PreviewRequest(DOMAIN, wait: true));
    check($preview instanceof FinishedPreview && $preview->files !== null && $preview->files->count > 0, "$name: preview_backup", $preview);
    $comparison = $client->diffBackup(new DiffRequest(DOMAIN, wait: true, limit: 2));
    check($comparison instanceof FinishedComparison && $comparison->files?->changed > 0, "$name: diff_backup", $comparison);
    $page = $client->diffBackup(new DiffRequest(job: $comparison->job, part: Part::Files, offset: 1, limit: 3));
    check($page instanceof PageOfFileEntry && $page->offset === 1 && count($page->entries) > 0 && $page->entries[0]->change instanceof Change, "$name: a page of diff_backup", $page);
}

/** A restore that is polled: its job. */
function restore(string $name, Client $client): string
{
    $validation = $client->validate(new RestoreRequest(DOMAIN, wait: true));
    check($validation instanceof FinishedValidation && $validation->outcome !== Outcome::Fail && $validation->planToken !== null, "$name: validate", $validation);
    $begun = $client->restoreStart(new RestoreRequest(DOMAIN, $validation->backup, planToken: $validation->planToken));
    check($begun instanceof Begun, "$name: restore_start answers with the job", $begun);
    $percent = 0.0;
    $isFalling = false;
    $sequence = [];
    $status = $client->wait($begun->job, 200, 0.02, static function (JobStatus $status) use (&$percent, &$isFalling, &$sequence): void {
        $isFalling = $isFalling || $status->percent < $percent;
        $percent = $status->percent;
        foreach ($status->events as $event) {
            $sequence[] = $event->seq;
        }
    });
    check($status->state === JobState::Done && $status->kind === JobKind::Restore && $status->result instanceof Report, "$name: restore_poll until it is done", $status);
    check(!$isFalling && $percent === 100.0, "$name: progress never goes back", $percent);
    check($sequence !== [] && $sequence === array_unique($sequence), "$name: each event comes once", $sequence);
    return $begun->job;
}

/** Back, with the answer at the end of the job. */
function back(string $name, Client $client, string $job): void
{
    $report = $client->rollback(new RollbackRequest(job: $job, wait: true));
    check($report instanceof FinishedReport && $report->job !== null && $report->domain === DOMAIN, "$name: rollback", $report);
    $error = thrown(static fn () => $client->restoreCancel(new JobRequest($job)));
    check($error === null || $error instanceof RequestException, "$name: restore_cancel of a job that has ended", $error);
}

/** A restore that is waited for, and what is left to do then. */
function rest(string $name, Client $client): void
{
    $report = $client->restoreStart(new RestoreRequest(DOMAIN, wait: true));
    check($report instanceof FinishedReport && $report->files !== null && $report->commitMilliseconds > 0, "$name: restore_start with wait answers with the report", $report);
    $verification = $client->verify(new DomainRequest(DOMAIN, wait: true));
    check($verification instanceof FinishedVerification && $verification->outcome !== Outcome::Fail, "$name: verify", $verification);
    $made = $client->createSnapshot(new DomainRequest(DOMAIN, wait: true));
    check($made instanceof FinishedSnapshotMade && $made->verified && $made->files > 0, "$name: create_snapshot", $made);
    $paths = array_map(static fn (SnapshotInfo $info): string => $info->path, $client->listSnapshots(new DomainRequest(DOMAIN))->snapshots);
    check(in_array($made->path, $paths, true), "$name: list_snapshots", $paths);
    $deleted = $client->deleteSnapshot(new DeleteSnapshotRequest(DOMAIN, $made->path, wait: true));
    check($deleted instanceof FinishedSnapshotDeleted && $deleted->deleted === $made->path, "$name: delete_snapshot", $deleted);
    $jobs = $client->listJobs(new AnyDomainRequest(DOMAIN))->jobs;
    $found = array_values(array_filter($jobs, static fn (JobInfo $info): bool => $info->job === $report->job));
    check(count($found) === 1 && $found[0]->state === JobState::Done, "$name: list_jobs", $jobs);
    $logs = array_map(static fn (LogInfo $info): string => $info->name, $client->listLogs()->logs);
    check($logs !== [], "$name: list_logs", $logs);
    $log = $client->readLog(new LogRequest(DOMAIN, $logs[0]));
    check(str_contains($log->text, DOMAIN) && $log->next === null && $log->size >= strlen($log->text), "$name: read_log", $log);
    $cleanup = $client->cleanup(new AnyDomainRequest(DOMAIN, wait: true));
    check($cleanup instanceof FinishedCleanup, "$name: cleanup", $cleanup);
    $recovery = $client->recover(new AnyDomainRequest(wait: true));
    check($recovery instanceof FinishedRecovery && $recovery->recovered === [], "$name: recover", $recovery);
}

/** A restore of a backup that is named: `latest` may be another one by the time it is approved. */
function named(Client $client): RestoreRequest
{
    return new RestoreRequest(DOMAIN, backup: $client->listBackups(new DomainRequest(DOMAIN))->backups[0]->path);
}

/** Somebody whose restore needs a second person's word: the name of what waits for it. */
function asks(Client $client): ?string
{
    $error = thrown(static fn () => $client->restoreStart(named($client)));
    check($error instanceof RequestException && $error->is(ErrorCode::ApprovalRequired) && $error->approval() !== null, 'socket: a restore that nobody approved', $error);
    $error = thrown(static fn () => $client->approve((string) $error?->approval()));
    check($error instanceof RequestException && $error->is(ErrorCode::Forbidden), 'socket: nobody approves without a rule', $error);
    $waiting = $client->listApprovals(DOMAIN);
    check(count($waiting) === 1 && $waiting[0]->approved === null && $waiting[0]->request['domain'] === DOMAIN, 'socket: it waits', $waiting);
    return $waiting[0]->id ?? null;
}

/** The second person. */
function approves(Client $client, string $id): void
{
    $waiting = array_map(static fn (Approval $approval): array => [$approval->id, $approval->user, $approval->onBehalf, $approval->call], $client->listApprovals());
    check($waiting === [[$id, 'www-data', 'mai', 'restore_start']], 'socket: root sees who asks', $waiting);
    $approval = $client->approve($id);
    check($approval->id === $id && $approval->approved?->by === 'root', 'socket: approve', $approval);
}

/** And the first one again. */
function begins(Client $client): void
{
    $job = $client->restoreStart(named($client))->job;
    check($client->wait($job, 200, 0.02)->state === JobState::Done, 'socket: what was approved is done');
    $lines = array_filter($client->audit(DOMAIN), static fn (AuditLine $line): bool => $line->job === $job && $line->call === 'restore_start');
    $last = end($lines) ?: null;
    check($last?->approvedBy === 'root' && $last->onBehalf === 'mai' && $last->user === 'www-data' && $last->outcome === 'ok', 'socket: audit', $lines);
}

$ffi = new LibraryTransport("$prefix/lib/" . LibraryTransport::NAME);
check((bool) preg_match('/^\d+\.\d+\.\d+/', $ffi->version()), 'ffi: the version', $ffi->version());
foreach (['string_free', 'abi_version', 'version', 'list_backups(', ''] as $name) {
    check(thrown(static fn () => $ffi->call($name, '{}')) instanceof InvalidArgumentException, "ffi: no call is called \"$name\"");
}
$transports = [
    'ffi' => ['root', static fn (): Client => new Client(new LibraryTransport("$prefix/lib/" . LibraryTransport::NAME), $world->config)],
    'process' => ['root', static fn (): Client => new Client(new ProcessTransport("$prefix/bin/rocketvps-restore"), $world->config)],
    'socket' => ['www-data', static fn (): Client => new Client(new SocketTransport($broker->socket, 'mai'))],
];
foreach ($transports as $name => [$account, $make]) {
    $damaged = $world->digest();
    check($damaged !== $good, "$name: the site is damaged");
    $job = as_account($account, $name, static function () use ($name, $make, $world): string {
        $client = $make();
        refusals($name, $client, $world);
        readings($name, $client);
        return restore($name, $client);
    });
    check($world->digest() === $good, "$name: the site is as it was in the backup");
    as_account($account, $name, static fn () => back($name, $make(), (string) $job));
    check($world->digest() === $damaged, "$name: the rollback brought back what was before");
    as_account($account, $name, static fn () => rest($name, $make()));
    check($world->digest() === $good, "$name: the second restore did the same");
    $world->does('damage');
}
$audit = array_map('json_decode', array_filter(explode("\n", (string) file_get_contents("$world->folder/w/base/restore_audit.jsonl"))));
// Those of root are of connections without a request, which asked whether the broker listens.
$calls = array_filter($audit, static fn (object $line): bool => $line->user !== 'root');
$callers = array_values(array_unique(array_map(static fn (object $line): string => "$line->user for " . ($line->on_behalf ?? ''), $calls)));
check($callers === ['www-data for mai'], 'the audit log has who asked, and on whose behalf', $callers);
// The broker's own calls.
$broker->obey(APPROVAL_RULES);
$make = $transports['socket'][1];
$id = (string) as_account('www-data', 'socket', static fn (): ?string => asks($make()));
approves($make(), $id);
as_account('www-data', 'socket', static fn () => begins($make()));
check($world->digest() === $good, 'socket: the site is as it was in the backup, after approval');
foreach (['ffi', 'process'] as $name) {
    $error = thrown(static fn () => $transports[$name][1]()->audit());
    check($error instanceof RequestException && $error->is(ErrorCode::Usage), "$name: audit is of the broker alone", $error);
}
finish();
