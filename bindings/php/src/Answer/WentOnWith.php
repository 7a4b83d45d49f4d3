<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What an interrupted restore had staged already. */
final class WentOnWith implements Answer
{
    /** Name of the interrupted job. */
    public readonly string $job;

    /** Number of files that were there already. */
    public readonly int $files;

    /** Number of tables that were loaded already. */
    public readonly int $tables;

    public function __construct(Fields $fields)
    {
        $this->job = $fields->text('job');
        $this->files = $fields->integer('files');
        $this->tables = $fields->integer('tables');
    }
}
