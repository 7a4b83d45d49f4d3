<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Level;

/** Something that happened in a job. */
final class Event implements Answer
{
    /** Its number in the job, from 1. */
    public readonly int $seq;

    /** When it happened, RFC 3339 with milliseconds. */
    public readonly string $time;

    /** How much it matters. */
    public readonly Level|string $level;

    /** What happened, as a sentence. */
    public readonly string $message;

    public function __construct(Fields $fields)
    {
        $this->seq = $fields->integer('seq');
        $this->time = $fields->text('time');
        $this->level = $fields->word('level', Level::class);
        $this->message = $fields->text('message');
    }
}
