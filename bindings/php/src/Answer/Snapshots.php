<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** `list_snapshots`: the snapshots of a domain. */
final class Snapshots implements Answer
{
    /** The domain that was asked about. */
    public readonly string $domain;

    /**
     * Its snapshots, newest first.
     *
     * @var list<SnapshotInfo>
     */
    public readonly array $snapshots;

    public function __construct(Fields $fields)
    {
        $this->domain = $fields->text('domain');
        $this->snapshots = $fields->objects('snapshots', SnapshotInfo::class);
    }
}
