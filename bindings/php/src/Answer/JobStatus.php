<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\JobKind;
use RocketVps\Restore\Enum\JobState;

/** `restore_poll`: how a job stands, and how it ended. */
final class JobStatus implements Answer
{
    /** Name of the job. */
    public readonly string $job;

    /** What it does. */
    public readonly JobKind|string $kind;

    /** Its domain; `null` for one of all domains. */
    public readonly ?string $domain;

    /** Where it stands. */
    public readonly JobState|string $state;

    /**
     * How much of it is done, 0 to 100: over all phases, weighted by the time they take on this machine. It never goes
     * back.
     */
    public readonly float $percent;

    /**
     * The phases, in the order they are shown.
     *
     * @var list<PhaseStatus>
     */
    public readonly array $phases;

    /** Disk traffic of the worker. */
    public readonly Io $io;

    /** Seconds since the start. */
    public readonly float $elapsedSeconds;

    /** Estimated seconds to the end; `null` when nothing can be said. */
    public readonly ?float $remainingSeconds;

    /** When it was started, RFC 3339. */
    public readonly string $started;

    /** Sequence number of the last event; for `since` of the next `restore_poll`. */
    public readonly int $lastEvent;

    /** Absolute path of its log, that of the failure where there is one; `null` for jobs that have none. */
    public readonly ?string $log;

    /**
     * What happened after `since`, oldest first.
     *
     * @var list<Event>
     */
    public readonly array $events;

    /** What the job gave; `null` unless it is done. */
    public readonly Report|Rehearsed|Preview|Comparison|Validation|Verification|SnapshotMade|SnapshotDeleted|Cleanup|Recovery|Other|null $result;

    /** Why it did not do what was asked; `null` unless it has ended otherwise. */
    public readonly ?Error $error;

    public function __construct(Fields $fields)
    {
        $this->job = $fields->text('job');
        $this->kind = $fields->word('kind', JobKind::class);
        $this->domain = $fields->has('domain') ? $fields->text('domain') : null;
        $this->state = $fields->word('state', JobState::class);
        $this->percent = $fields->number('percent');
        $this->phases = $fields->objects('phases', PhaseStatus::class);
        $this->io = $fields->object('io', Io::class);
        $this->elapsedSeconds = $fields->number('elapsed_s');
        $this->remainingSeconds = $fields->has('remaining_s') ? $fields->number('remaining_s') : null;
        $this->started = $fields->text('started');
        $this->lastEvent = $fields->integer('last_event');
        $this->log = $fields->has('log') ? $fields->text('log') : null;
        $this->events = $fields->objects('events', Event::class);
        $this->result = $fields->has('result') ? $fields->oneOf('result', [Report::class, Rehearsed::class, Preview::class, Comparison::class, Validation::class, Verification::class, SnapshotMade::class, SnapshotDeleted::class, Cleanup::class, Recovery::class]) : null;
        $this->error = $fields->has('error') ? $fields->object('error', Error::class) : null;
    }
}
