<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Numbers of entries by what a restore would do with them. */
final class Counts implements Answer
{
    /** Number of those that are only in the backup, and would come. */
    public readonly int $added;

    /** Number of those that would become other ones. */
    public readonly int $changed;

    /** Number of those that are only live, and would go. */
    public readonly int $removed;

    /** Number of those that are equal on both sides. */
    public readonly int $same;

    /** Number of those that are only live, and would stay. */
    public readonly int $kept;

    public function __construct(Fields $fields)
    {
        $this->added = $fields->integer('added');
        $this->changed = $fields->integer('changed');
        $this->removed = $fields->integer('removed');
        $this->same = $fields->integer('same');
        $this->kept = $fields->integer('kept');
    }
}
