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

    /**
     * Number of tables that are live as the dump has them, those in `unchanged` included; of kept ones, those that were
     * moved back.
     */
    public readonly int $tables;

    /** How many of them were so before, and stayed where they were: `staged` names each with the digest of its rows. */
    public readonly int $unchanged;

    /**
     * Newer rows of the live tables that `options.keep_rows` names, as carried over when the tables were staged.
     *
     * @var list<KeptRowsOf>|null
     */
    public readonly ?array $keptRows;

    /**
     * Names of live tables that are not the backup's and stayed as they were.
     *
     * @var list<string>
     */
    public readonly array $kept;

    /** Rows of all tables of the dump; `null` when it has none. */
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
        $this->unchanged = $fields->integer('unchanged');
        $this->keptRows = $fields->has('kept_rows') ? $fields->objects('kept_rows', KeptRowsOf::class) : null;
        $this->kept = $fields->texts('kept');
        $this->rows = $fields->has('rows') ? $fields->integer('rows') : null;
        $this->compatibility = $fields->objects('compatibility', CompatibilityFinding::class);
    }
}
