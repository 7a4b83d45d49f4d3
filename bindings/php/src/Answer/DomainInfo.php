<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** One domain in a list. */
final class DomainInfo implements Answer
{
    /** Its name. */
    public readonly string $domain;

    /** Number of its backups. */
    public readonly int $backups;

    /** When the newest backup was made, local time without an offset; `null` without one. */
    public readonly ?string $newest;

    /** Number of its snapshots. */
    public readonly int $snapshots;

    /** Whether its document root exists. */
    public readonly bool $hasSite;

    public function __construct(Fields $fields)
    {
        $this->domain = $fields->text('domain');
        $this->backups = $fields->integer('backups');
        $this->newest = $fields->has('newest') ? $fields->text('newest') : null;
        $this->snapshots = $fields->integer('snapshots');
        $this->hasSite = $fields->flag('has_site');
    }
}
