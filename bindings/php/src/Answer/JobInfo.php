<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\JobKind;
use RocketVps\Restore\Enum\JobState;

/** One job in a list. */
final class JobInfo implements Answer
{
    /** Its name. */
    public readonly string $job;

    /** What it does. */
    public readonly JobKind|string $kind;

    /** Its domain; `null` for one of all domains. */
    public readonly ?string $domain;

    /** Where it stands. */
    public readonly JobState|string $state;

    /** When it was started, RFC 3339. */
    public readonly string $started;

    /** Seconds since then, or until its end. */
    public readonly float $elapsedSeconds;

    /** How much of it is done, 0 to 100. */
    public readonly float $percent;

    /** Whether the same restore, started again, goes on with what this one had staged. */
    public readonly bool $resumable;

    public function __construct(Fields $fields)
    {
        $this->job = $fields->text('job');
        $this->kind = $fields->word('kind', JobKind::class);
        $this->domain = $fields->has('domain') ? $fields->text('domain') : null;
        $this->state = $fields->word('state', JobState::class);
        $this->started = $fields->text('started');
        $this->elapsedSeconds = $fields->number('elapsed_s');
        $this->percent = $fields->number('percent');
        $this->resumable = $fields->flag('resumable');
    }
}
