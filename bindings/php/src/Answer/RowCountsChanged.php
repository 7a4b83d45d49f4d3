<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** How the rows of one table differ. */
final class RowCountsChanged implements Answer
{
    /** Number of rows that are only in the backup, and would come. */
    public readonly int $added;

    /** Number of rows of one primary key that have other values in the backup. */
    public readonly int $changed;

    /** Number of rows that are only live, and would go. */
    public readonly int $removed;

    /** Number of rows that are equal on both sides. */
    public readonly int $same;

    /**
     * Whether the table has a primary key. Without one a row with another value is one that comes and one that goes,
     * and none has an entry.
     */
    public readonly bool $hasKey;

    public function __construct(Fields $fields)
    {
        $this->added = $fields->integer('added');
        $this->changed = $fields->integer('changed');
        $this->removed = $fields->integer('removed');
        $this->same = $fields->integer('same');
        $this->hasKey = $fields->flag('has_key');
    }
}
