<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What a restore would change of the rows of the tables that both sides have. */
final class RowChanges implements Answer
{
    /** Number of tables whose rows were compared. */
    public readonly int $tables;

    /** Number of tables whose rows were not compared; their entries in the part `tables` say why. */
    public readonly int $notCompared;

    /** Number of rows that are only in the backup, and would come. */
    public readonly int $added;

    /** Number of rows of one primary key that have other values in the backup. */
    public readonly int $changed;

    /** Number of rows that are only live, and would go. */
    public readonly int $removed;

    /** Number of rows that are equal on both sides. */
    public readonly int $same;

    /**
     * Number of rows that differ and have no entry: rows of tables without a primary key, and those beyond
     * `most_listed`.
     */
    public readonly int $unlisted;

    /** Most rows of one table that have an entry. */
    public readonly int $mostListed;

    /** Number of entries on all pages. */
    public readonly int $total;

    /**
     * The first entries.
     *
     * @var list<RowEntry>
     */
    public readonly array $entries;

    public function __construct(Fields $fields)
    {
        $this->tables = $fields->integer('tables');
        $this->notCompared = $fields->integer('not_compared');
        $this->added = $fields->integer('added');
        $this->changed = $fields->integer('changed');
        $this->removed = $fields->integer('removed');
        $this->same = $fields->integer('same');
        $this->unlisted = $fields->integer('unlisted');
        $this->mostListed = $fields->integer('most_listed');
        $this->total = $fields->integer('total');
        $this->entries = $fields->objects('entries', RowEntry::class);
    }
}
