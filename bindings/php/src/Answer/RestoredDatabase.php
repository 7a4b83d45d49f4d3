<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The database that was restored. */
final class RestoredDatabase implements Answer
{
    /** Name of the live schema. */
    public readonly ?string $schema;

    /** The dump: its path inside the archive, or that of its file; `null` for kept tables that were moved back. */
    public readonly ?string $dump;

    /** Number of tables that came into the live schema. */
    public readonly int $tables;

    /**
     * Names of live tables that stayed as they were.
     *
     * @var list<string>
     */
    public readonly array $kept;

    /** Rows of all loaded tables; `null` when none was loaded. */
    public readonly ?int $rows;

    /**
     * What of the dump the server would not have taken as it stands, and what was done about it.
     *
     * @var list<CompatibilityFinding>
     */
    public readonly array $compatibility;

    public function __construct(Fields $fields)
    {
        $this->schema = $fields->has('schema') ? $fields->text('schema') : null;
        $this->dump = $fields->has('dump') ? $fields->text('dump') : null;
        $this->tables = $fields->integer('tables');
        $this->kept = $fields->texts('kept');
        $this->rows = $fields->has('rows') ? $fields->integer('rows') : null;
        $this->compatibility = $fields->objects('compatibility', CompatibilityFinding::class);
    }
}
