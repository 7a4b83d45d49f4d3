<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What a restore would change of the database. Rows are counted; they are compared only where `rows` was asked for. */
final class TableChanges implements Answer
{
    /** Name of the live schema. */
    public readonly string $schema;

    /** The dump: its path inside the archive, or the name of its file. */
    public readonly string $dump;

    /** Number of those that are only in the backup, and would come. */
    public readonly int $added;

    /** Number of those that would become other ones. */
    public readonly int $changed;

    /** Number of those that are only live, and would go. */
    public readonly int $removed;

    /** Number of those that are equal on both sides. */
    public readonly int $same;

    /** Number of those that are only live, and would stay. */
    public readonly int $kept;

    /** Rows of the compared tables. */
    public readonly RowSums $rows;

    /**
     * Live rows of the tables that `options.keep_rows` names, as they would be kept now.
     *
     * @var list<KeptRowsOf>|null
     */
    public readonly ?array $keptRows;

    /**
     * How tables were compared: `number of rows and definition`, by which a row that has other values now is not seen;
     * or `rows and definition`.
     */
    public readonly string $comparedBy;

    /** Views, routines, triggers and events; `null` when only some tables were asked for. */
    public readonly ?ObjectCounts $objects;

    /** Number of entries on all pages. */
    public readonly int $total;

    /**
     * The first entries. Tables that stay the same have none.
     *
     * @var list<TableEntry>
     */
    public readonly array $entries;

    public function __construct(Fields $fields)
    {
        $this->schema = $fields->text('schema');
        $this->dump = $fields->text('dump');
        $this->added = $fields->integer('added');
        $this->changed = $fields->integer('changed');
        $this->removed = $fields->integer('removed');
        $this->same = $fields->integer('same');
        $this->kept = $fields->integer('kept');
        $this->rows = $fields->object('rows', RowSums::class);
        $this->keptRows = $fields->has('kept_rows') ? $fields->objects('kept_rows', KeptRowsOf::class) : null;
        $this->comparedBy = $fields->text('compared_by');
        $this->objects = $fields->has('objects') ? $fields->object('objects', ObjectCounts::class) : null;
        $this->total = $fields->integer('total');
        $this->entries = $fields->objects('entries', TableEntry::class);
    }
}
