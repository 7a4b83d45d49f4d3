<?php

declare(strict_types=1);

namespace RocketVps\Panel;

use RocketVps\Restore\Answer\BackupInfo;
use RocketVps\Restore\Answer\DomainInfo;
use RocketVps\Restore\Answer\Drill;
use RocketVps\Restore\Answer\FinishedPreview;
use RocketVps\Restore\Answer\JobInfo;
use RocketVps\Restore\Answer\JobStatus;
use RocketVps\Restore\Answer\LogInfo;
use RocketVps\Restore\Answer\LogText;
use RocketVps\Restore\Answer\Preview;
use RocketVps\Restore\Answer\SnapshotInfo;
use RocketVps\Restore\Client;
use RocketVps\Restore\Exception\RestoreException;
use RocketVps\Restore\Request\AnyDomainRequest;
use RocketVps\Restore\Request\DomainRequest;
use RocketVps\Restore\Request\LogRequest;
use RocketVps\Restore\Request\PreviewRequest;
use RocketVps\Restore\Request\TreeAsked;
use RocketVps\Restore\SocketTransport;

/**
 * The engine, as far as this user may see it. The broker knows only the user of PHP-FPM, so the domains of the signed-in
 * user are looked at here, before each call.
 */
final class Engine
{
    /** How long a page waits for a job before it shows the progress of it. */
    private const PATIENCE_SECONDS = 1.5;

    public readonly Client $client;
    public readonly Watch $watch;

    public function __construct(private readonly Settings $settings)
    {
        $this->client = $settings->client
            ?? new Client(new SocketTransport($settings->socket, onBehalf: $settings->user, owner: $settings->owner));
        $this->watch = new Watch($this->client, $settings);
    }

    public function require(string $domain): string
    {
        return $domain !== '' && $this->settings->allows($domain) ? $domain : throw Refusal::notFound();
    }

    /** @return list<DomainInfo> */
    public function domains(): array
    {
        return $this->own($this->client->listDomains()->domains);
    }

    /** @return list<BackupInfo> */
    public function backups(string $domain): array
    {
        return $this->client->listBackups(new DomainRequest($this->require($domain)))->backups;
    }

    public function backup(string $domain, string $name): BackupInfo
    {
        foreach ($this->backups($domain) as $backup) {
            if (self::nameOf($backup->path) === $name) {
                return $backup;
            }
        }
        throw Refusal::notFound();
    }

    /** @return list<SnapshotInfo> */
    public function snapshots(string $domain): array
    {
        return $this->client->listSnapshots(new DomainRequest($this->require($domain)))->snapshots;
    }

    public function snapshot(string $domain, string $name): SnapshotInfo
    {
        foreach ($this->snapshots($domain) as $snapshot) {
            if (self::nameOf($snapshot->path) === $name) {
                return $snapshot;
            }
        }
        throw Refusal::notFound();
    }

    /** @return list<JobInfo> */
    public function jobs(?string $domain = null): array
    {
        return $this->own($this->client->listJobs(new AnyDomainRequest($domain === null ? null : $this->require($domain)))->jobs);
    }

    /** @return list<Drill> newest first */
    public function drills(string $domain): array
    {
        return $this->own($this->client->listDrills(new AnyDomainRequest($this->require($domain)))->drills);
    }

    /** @return list<LogInfo> */
    public function logs(string $domain): array
    {
        return $this->own($this->client->listLogs(new AnyDomainRequest($this->require($domain)))->logs);
    }

    /** The text of a log, from a byte on. */
    public function log(string $domain, string $name, int $offset): LogText
    {
        try {
            return $this->client->readLog(new LogRequest($this->require($domain), $name, offset: $offset));
        } catch (RestoreException $exception) {
            throw in_array($exception->name, ['job_not_found', 'bad_request'], true) ? Refusal::notFound() : $exception;
        }
    }

    /** The status of a job of a domain that this user may see. */
    public function status(string $job): JobStatus
    {
        if (preg_match('/^[0-9A-Za-z_-]{1,80}$/D', $job) !== 1) {
            throw Refusal::notFound();
        }
        try {
            $status = $this->watch->status($job);
        } catch (RestoreException $exception) {
            throw in_array($exception->name, ['forbidden', 'job_not_found', 'bad_request'], true) ? Refusal::notFound() : $exception;
        }
        $this->require($status->domain ?? '*');
        return $status;
    }

    /** The status of a job that may end soon: waits a moment for that. */
    public function settled(string $job): JobStatus
    {
        $until = microtime(true) + self::PATIENCE_SECONDS;
        do {
            $status = $this->status($job);
            // Nobody waits for one that has worked longer than that already: it holds a worker of PHP-FPM that others need.
            $isNew = $status->elapsedSeconds < self::PATIENCE_SECONDS;
            if (self::hasEnded($status) || !$isNew || microtime(true) > $until) {
                return $status;
            }
            usleep(100_000);
        } while (true);
    }

    /** What is in a backup, or the job that reads it first. */
    public function preview(string $domain, string $path, ?TreeAsked $tree = null): Preview|JobStatus
    {
        $answer = $this->client->previewBackup(new PreviewRequest($this->require($domain), $path, tree: $tree));
        if ($answer instanceof FinishedPreview) {
            return $answer;
        }
        $status = $this->settled($answer->job);
        if ($status->error !== null) {
            throw RestoreException::of($status->error);
        }
        return $status->result instanceof Preview ? $status->result : $status;
    }

    public static function hasEnded(JobStatus $status): bool
    {
        return in_array(Text::word($status->state), ['done', 'failed', 'rolled_back', 'needs_operator'], true);
    }

    /** A name for a path that tells nothing about the server, for addresses. */
    public static function nameOf(string $path): string
    {
        return substr(hash('sha256', $path), 0, 16);
    }

    /**
     * @template T of DomainInfo|Drill|JobInfo|LogInfo
     *
     * @param list<T> $things
     *
     * @return list<T>
     */
    private function own(array $things): array
    {
        return array_values(array_filter($things, fn (object $thing): bool => $this->settings->allows($thing->domain ?? '*')));
    }
}
