<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What a restore would change of the configuration. */
final class ConfigChanges implements Answer
{
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

    /** Number of entries on all pages. */
    public readonly int $total;

    /**
     * The first entries, one a file.
     *
     * @var list<ConfigEntry>
     */
    public readonly array $entries;

    public function __construct(Fields $fields)
    {
        $this->added = $fields->integer('added');
        $this->changed = $fields->integer('changed');
        $this->removed = $fields->integer('removed');
        $this->same = $fields->integer('same');
        $this->kept = $fields->integer('kept');
        $this->total = $fields->integer('total');
        $this->entries = $fields->objects('entries', ConfigEntry::class);
    }
}
