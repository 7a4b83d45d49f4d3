<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** `diff_backup`: what a restore would change. */
class Comparison implements Alternative
{
    /** The files; `null` when they take no part. */
    public readonly ?FileChanges $files;

    /** The database; `null` when it takes no part. */
    public readonly ?TableChanges $tables;

    /** The configuration; `null` when it takes no part. */
    public readonly ?ConfigChanges $config;

    /** The rows of tables that both sides have; missing unless `rows` was asked for and the database takes part. */
    public readonly ?RowChanges $rows;

    /** For `restore_start`, which then refuses to start when anything changed since. */
    public readonly string $planToken;

    /** The domain. */
    public readonly string $domain;

    /** Absolute path of the backup. */
    public readonly string $backup;

    public function __construct(Fields $fields)
    {
        $this->files = $fields->has('files') ? $fields->object('files', FileChanges::class) : null;
        $this->tables = $fields->has('tables') ? $fields->object('tables', TableChanges::class) : null;
        $this->config = $fields->has('config') ? $fields->object('config', ConfigChanges::class) : null;
        $this->rows = $fields->has('rows') ? $fields->object('rows', RowChanges::class) : null;
        $this->planToken = $fields->text('plan_token');
        $this->domain = $fields->text('domain');
        $this->backup = $fields->text('backup');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('files', 'tables', 'config', 'plan_token', 'domain', 'backup');
    }
}
