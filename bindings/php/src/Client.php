<?php

declare(strict_types=1);

namespace RocketVps\Restore;

use RocketVps\Restore\Answer\Alternative;
use RocketVps\Restore\Answer\Answer;
use RocketVps\Restore\Answer\Approval;
use RocketVps\Restore\Answer\AuditLine;
use RocketVps\Restore\Answer\Backups;
use RocketVps\Restore\Answer\Begun;
use RocketVps\Restore\Answer\Cancelled;
use RocketVps\Restore\Answer\Domains;
use RocketVps\Restore\Answer\Drills;
use RocketVps\Restore\Answer\Error;
use RocketVps\Restore\Answer\Fields;
use RocketVps\Restore\Answer\FinishedCleanup;
use RocketVps\Restore\Answer\FinishedComparison;
use RocketVps\Restore\Answer\FinishedPreview;
use RocketVps\Restore\Answer\FinishedRecovery;
use RocketVps\Restore\Answer\FinishedRehearsed;
use RocketVps\Restore\Answer\FinishedReport;
use RocketVps\Restore\Answer\FinishedSnapshotDeleted;
use RocketVps\Restore\Answer\FinishedSnapshotMade;
use RocketVps\Restore\Answer\FinishedValidation;
use RocketVps\Restore\Answer\FinishedVerification;
use RocketVps\Restore\Answer\Jobs;
use RocketVps\Restore\Answer\JobStatus;
use RocketVps\Restore\Answer\Logs;
use RocketVps\Restore\Answer\LogText;
use RocketVps\Restore\Answer\Other;
use RocketVps\Restore\Answer\PageOfConfigEntry;
use RocketVps\Restore\Answer\PageOfFileEntry;
use RocketVps\Restore\Answer\PageOfRowEntry;
use RocketVps\Restore\Answer\PageOfTableEntry;
use RocketVps\Restore\Answer\Snapshots;
use RocketVps\Restore\Enum\ErrorCode;
use RocketVps\Restore\Enum\JobState;
use RocketVps\Restore\Exception\RequestException;
use RocketVps\Restore\Exception\RestoreException;
use RocketVps\Restore\Exception\TransportException;
use RocketVps\Restore\Request\AnyDomainRequest;
use RocketVps\Restore\Request\ConfigSettings;
use RocketVps\Restore\Request\DeleteSnapshotRequest;
use RocketVps\Restore\Request\DiffRequest;
use RocketVps\Restore\Request\DomainRequest;
use RocketVps\Restore\Request\JobRequest;
use RocketVps\Restore\Request\LogRequest;
use RocketVps\Restore\Request\PlainRequest;
use RocketVps\Restore\Request\PreviewRequest;
use RocketVps\Restore\Request\Request;
use RocketVps\Restore\Request\RestoreRequest;
use RocketVps\Restore\Request\RollbackRequest;

/**
 * The calls of the restore engine, over one of its transports.
 *
 * Each call throws a RestoreException when the engine answers with an error, and its subclass TransportException when no
 * answer comes.
 */
final class Client
{
    /** Version of the documents that this client reads. */
    private const SCHEMA = 1;
    /** States in which a job stays. */
    private const FINAL_STATES = [JobState::Done, JobState::RolledBack, JobState::Failed, JobState::NeedsOperator];
    /** What the engine answers of a call that it has not. */
    private const USAGE = 2;

    /** @param string|ConfigSettings|null $config restore.toml for every request that names none; the broker has its own */
    public function __construct(
        private readonly Transport $transport = new SocketTransport(),
        private readonly string|ConfigSettings|null $config = null,
    ) {
    }

    /**
     * Domains that have backups, snapshots or a document root, by name.
     *
     * @throws RestoreException
     */
    public function listDomains(PlainRequest $request = new PlainRequest()): Domains
    {
        return $this->read('list_domains', $request, Domains::class);
    }

    /**
     * Backups of a domain, newest first.
     *
     * @throws RestoreException
     */
    public function listBackups(DomainRequest $request): Backups
    {
        return $this->read('list_backups', $request, Backups::class);
    }

    /**
     * What is in a backup: tree, tables, configuration, estimate, required space, warnings. What an earlier preview of the
     * same files found is answered at once, also without `wait`.
     *
     * @return FinishedPreview|Begun the result with `wait`, else the job that began
     *
     * @throws RestoreException
     */
    public function previewBackup(PreviewRequest $request): FinishedPreview|Begun
    {
        return $this->readOneOf('preview_backup', $request, [FinishedPreview::class, Begun::class]);
    }

    /**
     * What a restore would change: a job. With `job` and `part`: a page of what a finished job found, at once.
     *
     * @return PageOfFileEntry|PageOfTableEntry|PageOfConfigEntry|PageOfRowEntry|FinishedComparison|Begun a page, the result with `wait`, else the job that began
     *
     * @throws RestoreException
     */
    public function diffBackup(DiffRequest $request): PageOfFileEntry|PageOfTableEntry|PageOfConfigEntry|PageOfRowEntry|FinishedComparison|Begun
    {
        return $this->readOneOf('diff_backup', $request, [PageOfFileEntry::class, PageOfTableEntry::class, PageOfConfigEntry::class, PageOfRowEntry::class, FinishedComparison::class, Begun::class]);
    }

    /**
     * Every check before a restore, what it would change, and a plan token: a job.
     *
     * @return FinishedValidation|Begun the result with `wait`, else the job that began
     *
     * @throws RestoreException
     */
    public function validate(RestoreRequest $request): FinishedValidation|Begun
    {
        return $this->readOneOf('validate', $request, [FinishedValidation::class, Begun::class]);
    }

    /**
     * Stages a backup, asks the staged site for pages, and removes it: proof that a restore would work.
     *
     * @return FinishedRehearsed|Begun the result with `wait`, else the job that began
     *
     * @throws RestoreException
     */
    public function rehearse(RestoreRequest $request): FinishedRehearsed|Begun
    {
        return $this->readOneOf('rehearse', $request, [FinishedRehearsed::class, Begun::class]);
    }

    /**
     * Saves the live domain as a portable snapshot: a job.
     *
     * @return FinishedSnapshotMade|Begun the result with `wait`, else the job that began
     *
     * @throws RestoreException
     */
    public function createSnapshot(DomainRequest $request): FinishedSnapshotMade|Begun
    {
        return $this->readOneOf('create_snapshot', $request, [FinishedSnapshotMade::class, Begun::class]);
    }

    /**
     * Snapshots of a domain, newest first.
     *
     * @throws RestoreException
     */
    public function listSnapshots(DomainRequest $request): Snapshots
    {
        return $this->read('list_snapshots', $request, Snapshots::class);
    }

    /**
     * Deletes a snapshot, with the tree and the schema it keeps: a job.
     *
     * @return FinishedSnapshotDeleted|Begun the result with `wait`, else the job that began
     *
     * @throws RestoreException
     */
    public function deleteSnapshot(DeleteSnapshotRequest $request): FinishedSnapshotDeleted|Begun
    {
        return $this->readOneOf('delete_snapshot', $request, [FinishedSnapshotDeleted::class, Begun::class]);
    }

    /**
     * Restores a domain from a backup: a job. A validation is the answer where `dryRun` is set.
     *
     * @return FinishedValidation|FinishedReport|Begun the result with `wait`, else the job that began
     *
     * @throws RestoreException
     */
    public function restoreStart(RestoreRequest $request): FinishedValidation|FinishedReport|Begun
    {
        return $this->readOneOf('restore_start', $request, [FinishedValidation::class, FinishedReport::class, Begun::class]);
    }

    /**
     * How a job stands, what happened since, and how it ended.
     *
     * @throws RestoreException
     */
    public function restorePoll(JobRequest $request): JobStatus
    {
        return $this->read('restore_poll', $request, JobStatus::class);
    }

    /**
     * Asks a job to stop; it ends in the original state.
     *
     * @throws RestoreException
     */
    public function restoreCancel(JobRequest $request): Cancelled
    {
        return $this->read('restore_cancel', $request, Cancelled::class);
    }

    /**
     * Back to the state before a job, or to a snapshot: a job.
     *
     * @return FinishedReport|Begun the result with `wait`, else the job that began
     *
     * @throws RestoreException
     */
    public function rollback(RollbackRequest $request): FinishedReport|Begun
    {
        return $this->readOneOf('rollback', $request, [FinishedReport::class, Begun::class]);
    }

    /**
     * The four groups of checks on the live domain: a job.
     *
     * @return FinishedVerification|Begun the result with `wait`, else the job that began
     *
     * @throws RestoreException
     */
    public function verify(DomainRequest $request): FinishedVerification|Begun
    {
        return $this->readOneOf('verify', $request, [FinishedVerification::class, Begun::class]);
    }

    /**
     * Removes expired snapshots, old jobs, and what interrupted jobs left: a job.
     *
     * @return FinishedCleanup|Begun the result with `wait`, else the job that began
     *
     * @throws RestoreException
     */
    public function cleanup(AnyDomainRequest $request = new AnyDomainRequest()): FinishedCleanup|Begun
    {
        return $this->readOneOf('cleanup', $request, [FinishedCleanup::class, Begun::class]);
    }

    /**
     * Jobs, newest first.
     *
     * @throws RestoreException
     */
    public function listJobs(AnyDomainRequest $request = new AnyDomainRequest()): Jobs
    {
        return $this->read('list_jobs', $request, Jobs::class);
    }

    /**
     * Logs, newest first.
     *
     * @throws RestoreException
     */
    public function listLogs(AnyDomainRequest $request = new AnyDomainRequest()): Logs
    {
        return $this->read('list_logs', $request, Logs::class);
    }

    /**
     * The text of a log, from a byte on.
     *
     * @throws RestoreException
     */
    public function readLog(LogRequest $request): LogText
    {
        return $this->read('read_log', $request, LogText::class);
    }

    /**
     * Drills of a domain, newest first; without a domain the newest of each.
     *
     * @throws RestoreException
     */
    public function listDrills(AnyDomainRequest $request = new AnyDomainRequest()): Drills
    {
        return $this->read('list_drills', $request, Drills::class);
    }

    /**
     * Finishes or undoes interrupted jobs, and removes orphans: a job.
     *
     * @return FinishedRecovery|Begun the result with `wait`, else the job that began
     *
     * @throws RestoreException
     */
    public function recover(AnyDomainRequest $request = new AnyDomainRequest()): FinishedRecovery|Begun
    {
        return $this->readOneOf('recover', $request, [FinishedRecovery::class, Begun::class]);
    }

    /**
     * Polls a job until it has ended, well or otherwise: its status has `result` or `error`, or neither where its report
     * is lost.
     *
     * @param float                         $timeout  seconds until a TransportException; the job goes on
     * @param \Closure(JobStatus): void|null $onStatus is told each status; its `events` are those since the last one
     *
     * @throws RestoreException where a poll fails; not where the job did: see RestoreException::of()
     */
    public function wait(string $job, float $timeout = 6 * 3600.0, float $interval = 0.5, ?\Closure $onStatus = null): JobStatus
    {
        $deadline = new Deadline($timeout);
        $since = 0;
        while (true) {
            $status = $this->restorePoll(new JobRequest($job, since: $since));
            // Not `lastEvent`: while the job works, `events` can have later ones.
            foreach ($status->events as $event) {
                $since = $event->seq;
            }
            if ($onStatus !== null) {
                $onStatus($status);
            }
            // Also a state that a later engine brings has ended where it has one of them.
            if (in_array($status->state, self::FINAL_STATES, true) || $status->result !== null || $status->error !== null) {
                return $status;
            }
            if ($deadline->hasPassed()) {
                throw TransportException::because("job $job has not ended within $timeout s", 'It goes on: poll it again.');
            }
            usleep((int) ($interval * 1e6));
        }
    }

    /**
     * Who asked the broker for what, newest last: its last 1,000 lines of the domains that the rules name. Of the broker
     * alone.
     *
     * @return list<AuditLine>
     *
     * @throws RestoreException
     */
    public function audit(?string $domain = null): array
    {
        return $this->askBroker('audit', $domain === null ? [] : ['domain' => $domain], 'calls', AuditLine::class);
    }

    /**
     * What waits for a second person, and what has been approved and not begun yet. Of the broker alone.
     *
     * @return list<Approval>
     *
     * @throws RestoreException
     */
    public function listApprovals(?string $domain = null): array
    {
        return $this->askBroker('list_approvals', $domain === null ? [] : ['domain' => $domain], 'approvals', Approval::class);
    }

    /**
     * A second person's word for a request of somebody else, who can then send it again. Of the broker alone.
     *
     * @param string $id of listApprovals(), or of RequestException::approval()
     *
     * @throws RestoreException
     */
    public function approve(string $id): Approval
    {
        $approvals = $this->askBroker('approve', ['approval' => $id], 'approvals', Approval::class);
        return $approvals[0] ?? throw self::unreadable('approve', new \UnexpectedValueException('approvals is empty'));
    }

    /**
     * Runs a call by its name, without types: for calls and fields that a later engine brings.
     *
     * @param array<string, mixed>|Request $request
     *
     * @return array<string, mixed> the `data` of the answer
     *
     * @throws RestoreException
     */
    public function call(string $name, array|Request $request = []): array
    {
        $fields = (array) ($request instanceof Request ? $request->jsonSerialize() : $request);
        if ($this->config !== null) {
            $fields += ['config' => $this->config];
        }
        try {
            $text = json_encode((object) $fields, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
        } catch (\JsonException $exception) {
            throw new \InvalidArgumentException("the request is no JSON: {$exception->getMessage()}", 0, $exception);
        }
        return $this->dataOf($name, $this->transport->call($name, $text, ($fields['wait'] ?? false) === true));
    }

    /**
     * Without the client's `config`: the broker has its own, and its own calls take none.
     *
     * @template T of Answer
     *
     * @param array<string, string> $fields
     * @param class-string<T>       $class
     *
     * @return list<T>
     */
    private function askBroker(string $call, array $fields, string $field, string $class): array
    {
        if (!$this->transport instanceof BrokerTransport) {
            throw new RequestException(ErrorCode::Usage->value, self::USAGE, "only the broker has the call $call", 'Use SocketTransport.');
        }
        $text = json_encode((object) $fields, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE);
        $data = $this->dataOf($call, $this->transport->call($call, $text));
        try {
            return (new Fields($data))->objects($field, $class);
        } catch (\UnexpectedValueException $exception) {
            throw self::unreadable($call, $exception);
        }
    }

    /**
     * @return array<string, mixed>
     *
     * @throws RestoreException
     */
    private function dataOf(string $call, string $answer): array
    {
        try {
            $document = Fields::of(json_decode($answer, true, 512, JSON_THROW_ON_ERROR));
            $schema = $document->integer('schema');
            if ($schema !== self::SCHEMA) {
                throw new \UnexpectedValueException("it is of version $schema, and this client knows " . self::SCHEMA);
            }
            if ($document->flag('ok')) {
                return $document->map('data');
            }
            $error = $document->object('error', Error::class);
        } catch (\JsonException|\UnexpectedValueException $exception) {
            throw self::unreadable($call, $exception);
        }
        throw RestoreException::of($error);
    }

    /**
     * @template T of Answer
     *
     * @param class-string<T> $class
     *
     * @return T
     */
    private function read(string $call, Request $request, string $class): Answer
    {
        $data = $this->call($call, $request);
        try {
            return new $class(new Fields($data));
        } catch (\UnexpectedValueException $exception) {
            throw self::unreadable($call, $exception);
        }
    }

    /**
     * @template T of Alternative
     *
     * @param list<class-string<T>> $classes
     *
     * @return T
     */
    private function readOneOf(string $call, Request $request, array $classes): Answer
    {
        $data = $this->call($call, $request);
        try {
            $answer = (new Fields($data))->asOneOf($classes);
            return $answer instanceof Other ? throw new \UnexpectedValueException('it is of no known type') : $answer;
        } catch (\UnexpectedValueException $exception) {
            throw self::unreadable($call, $exception);
        }
    }

    private static function unreadable(string $call, \Throwable $exception): TransportException
    {
        return TransportException::because(
            "the answer of $call cannot be read: {$exception->getMessage()}",
            'Install the client and the engine in the same version.',
            $exception,
        );
    }
}
