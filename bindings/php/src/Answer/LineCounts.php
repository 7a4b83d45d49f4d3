<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Numbers of lines that differ. */
final class LineCounts implements Answer
{
    /** Number of lines that only the backup has. */
    public readonly int $added;

    /** Number of lines that are only live. */
    public readonly int $removed;

    public function __construct(Fields $fields)
    {
        $this->added = $fields->integer('added');
        $this->removed = $fields->integer('removed');
    }
}
