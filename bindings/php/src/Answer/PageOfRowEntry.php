<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Some entries of one part. */
final class PageOfRowEntry implements Alternative
{
    /** Number of entries before the first one shown. */
    public readonly int $offset;

    /** Number of entries on all pages. */
    public readonly int $total;

    /** The `offset` of the next page; `null` on the last one. */
    public readonly ?int $next;

    /**
     * The entries.
     *
     * @var list<RowEntry>
     */
    public readonly array $entries;

    /** Name of the job that compared. */
    public readonly string $job;

    /** `rows`. */
    public readonly string $part;

    public function __construct(Fields $fields)
    {
        $this->offset = $fields->integer('offset');
        $this->total = $fields->integer('total');
        $this->next = $fields->has('next') ? $fields->integer('next') : null;
        $this->entries = $fields->objects('entries', RowEntry::class);
        $this->job = $fields->text('job');
        $this->part = $fields->text('part');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('offset', 'total', 'next', 'entries', 'job', 'part') && $fields->text('part') === 'rows';
    }
}
