<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** A column of a primary key. */
final class KeyValue implements Answer
{
    /** Name of the column. */
    public readonly string $column;

    /** Its value. */
    public readonly ValueShown $value;

    public function __construct(Fields $fields)
    {
        $this->column = $fields->text('column');
        $this->value = $fields->object('value', ValueShown::class);
    }
}
