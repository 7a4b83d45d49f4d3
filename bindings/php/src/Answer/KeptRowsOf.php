<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Newer rows of a live table that were carried into the restored one. */
final class KeptRowsOf implements Answer
{
    /** Name of the table. */
    public readonly string $table;

    /** The column that tells what is newer. */
    public readonly string $column;

    /** Number of rows. */
    public readonly int $rows;

    public function __construct(Fields $fields)
    {
        $this->table = $fields->text('table');
        $this->column = $fields->text('column');
        $this->rows = $fields->integer('rows');
    }
}
