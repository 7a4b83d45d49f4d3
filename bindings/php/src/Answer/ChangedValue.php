<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** A column with other values on the two sides. */
final class ChangedValue implements Answer
{
    /** Name of the column. */
    public readonly string $column;

    /** As the backup has it. */
    public readonly ValueShown $backup;

    /** As it is live. */
    public readonly ValueShown $live;

    public function __construct(Fields $fields)
    {
        $this->column = $fields->text('column');
        $this->backup = $fields->object('backup', ValueShown::class);
        $this->live = $fields->object('live', ValueShown::class);
    }
}
