<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Rows of one table. */
final class RowCounts implements Answer
{
    /** Rows in the dump; missing where the dump lacks the table. */
    public readonly ?int $backup;

    /** Rows that are live; missing where the table is not live. */
    public readonly ?int $live;

    /** Whether the live rows were counted; else the server estimates them. Only with `live`. */
    public readonly ?bool $exact;

    public function __construct(Fields $fields)
    {
        $this->backup = $fields->has('backup') ? $fields->integer('backup') : null;
        $this->live = $fields->has('live') ? $fields->integer('live') : null;
        $this->exact = $fields->has('exact') ? $fields->flag('exact') : null;
    }
}
