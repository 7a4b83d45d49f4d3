<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What a restore would change, part by part. */
final class Changes implements Answer
{
    /** The files; `null` when they take no part. */
    public readonly ?FileChanges $files;

    /** The database; `null` when it takes no part. */
    public readonly ?TableChanges $tables;

    /** The configuration; `null` when it takes no part. */
    public readonly ?ConfigChanges $config;

    /** The rows of tables that both sides have; missing unless `rows` was asked for and the database takes part. */
    public readonly ?RowChanges $rows;

    public function __construct(Fields $fields)
    {
        $this->files = $fields->has('files') ? $fields->object('files', FileChanges::class) : null;
        $this->tables = $fields->has('tables') ? $fields->object('tables', TableChanges::class) : null;
        $this->config = $fields->has('config') ? $fields->object('config', ConfigChanges::class) : null;
        $this->rows = $fields->has('rows') ? $fields->object('rows', RowChanges::class) : null;
    }
}
