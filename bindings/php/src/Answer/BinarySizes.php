<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Bytes of two files that are no text. */
final class BinarySizes implements Answer
{
    /** Bytes of the live one. */
    public readonly int $live;

    /** Bytes of the backup's. */
    public readonly int $backup;

    public function __construct(Fields $fields)
    {
        $this->live = $fields->integer('live');
        $this->backup = $fields->integer('backup');
    }
}
