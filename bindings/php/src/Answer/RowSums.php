<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Rows of all compared tables. */
final class RowSums implements Answer
{
    /** Rows in the dump. */
    public readonly int $backup;

    /** Rows that are live. */
    public readonly int $live;

    /** Whether every live table was counted; else the server estimates those over a million. */
    public readonly bool $exact;

    public function __construct(Fields $fields)
    {
        $this->backup = $fields->integer('backup');
        $this->live = $fields->integer('live');
        $this->exact = $fields->flag('exact');
    }
}
