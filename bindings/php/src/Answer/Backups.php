<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** `list_backups`: the backups of a domain. */
final class Backups implements Answer
{
    /** The domain that was asked about. */
    public readonly string $domain;

    /**
     * Its backups, newest first.
     *
     * @var list<BackupInfo>
     */
    public readonly array $backups;

    public function __construct(Fields $fields)
    {
        $this->domain = $fields->text('domain');
        $this->backups = $fields->objects('backups', BackupInfo::class);
    }
}
