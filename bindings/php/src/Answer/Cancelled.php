<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\JobState;

/** `restore_cancel`: whether a job was asked to stop. */
final class Cancelled implements Answer
{
    /** Name of the job. */
    public readonly string $job;

    /** Where it stood. */
    public readonly JobState|string $state;

    /** Whether it was asked to stop; `false` when it had ended already. */
    public readonly bool $cancelling;

    public function __construct(Fields $fields)
    {
        $this->job = $fields->text('job');
        $this->state = $fields->word('state', JobState::class);
        $this->cancelling = $fields->flag('cancelling');
    }
}
