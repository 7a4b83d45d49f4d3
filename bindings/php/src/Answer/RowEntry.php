<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Change;

/** A row that a restore would change. */
final class RowEntry implements Answer
{
    /** Name of the table. */
    public readonly string $table;

    /** What a restore would do with it. */
    public readonly Change|string $change;

    /**
     * Its primary key, column by column.
     *
     * @var list<KeyValue>
     */
    public readonly array $key;

    /**
     * The columns whose values differ; only of rows that change.
     *
     * @var list<ChangedValue>|null
     */
    public readonly ?array $columns;

    public function __construct(Fields $fields)
    {
        $this->table = $fields->text('table');
        $this->change = $fields->word('change', Change::class);
        $this->key = $fields->objects('key', KeyValue::class);
        $this->columns = $fields->has('columns') ? $fields->objects('columns', ChangedValue::class) : null;
    }
}
