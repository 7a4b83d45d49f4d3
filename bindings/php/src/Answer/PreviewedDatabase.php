<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The database of a backup, as its dump says. */
final class PreviewedDatabase implements Answer
{
    /** Name of the live schema that a restore would fill; `null` when it is not known. */
    public readonly ?string $name;

    /** Path of the dump inside the archive, or the name of its file. */
    public readonly string $dump;

    /** Bytes of SQL. */
    public readonly int $bytes;

    /** The same for people: `286M`. */
    public readonly string $bytesText;

    /** Number of tables. */
    public readonly int $tables;

    /** Rows of all tables. */
    public readonly int $rows;

    /** Number of views, triggers, routines and events. */
    public readonly int $objects;

    /** Whether the dump ends with the line that says so. */
    public readonly bool $complete;

    /**
     * Where its tables do not begin as the site looks for them: what those that look like a site's begin with. `prefix`
     * of the request's `backup` says which are the site's. Else empty.
     *
     * @var list<string>
     */
    public readonly array $prefixes;

    /**
     * The tables, in the order of the dump.
     *
     * @var list<DumpedTable>
     */
    public readonly array $tableList;

    /**
     * Names of views. With routines, triggers and events the first 2,000 in all.
     *
     * @var list<string>
     */
    public readonly array $views;

    /**
     * Names of procedures and functions.
     *
     * @var list<string>
     */
    public readonly array $routines;

    /**
     * Names of triggers.
     *
     * @var list<string>
     */
    public readonly array $triggers;

    /**
     * Names of events.
     *
     * @var list<string>
     */
    public readonly array $events;

    public function __construct(Fields $fields)
    {
        $this->name = $fields->has('name') ? $fields->text('name') : null;
        $this->dump = $fields->text('dump');
        $this->bytes = $fields->integer('bytes');
        $this->bytesText = $fields->text('bytes_text');
        $this->tables = $fields->integer('tables');
        $this->rows = $fields->integer('rows');
        $this->objects = $fields->integer('objects');
        $this->complete = $fields->flag('complete');
        $this->prefixes = $fields->texts('prefixes');
        $this->tableList = $fields->objects('table_list', DumpedTable::class);
        $this->views = $fields->texts('views');
        $this->routines = $fields->texts('routines');
        $this->triggers = $fields->texts('triggers');
        $this->events = $fields->texts('events');
    }
}
