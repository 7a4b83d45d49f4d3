<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\JobState;

/** What became of a job whose worker died. */
final class RecoveredJob implements Answer
{
    /** Its domain. */
    public readonly string $domain;

    /** Its name. */
    public readonly string $job;

    /** Where it stands now. */
    public readonly JobState|string $state;

    public function __construct(Fields $fields)
    {
        $this->domain = $fields->text('domain');
        $this->job = $fields->text('job');
        $this->state = $fields->word('state', JobState::class);
    }
}
