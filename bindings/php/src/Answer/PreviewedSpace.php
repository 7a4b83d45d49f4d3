<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The room that a restore takes, and what there is. */
final class PreviewedSpace implements Answer
{
    /** Bytes that the live site takes, files and database; `null` when nobody looked. */
    public readonly ?int $currentUsed;

    /** When somebody looked, RFC 3339. */
    public readonly ?string $currentUsedAt;

    /** Bytes of all files that the backup is made of. */
    public readonly int $backupSize;

    /** Bytes of its files and its dump, unpacked. */
    public readonly int $unpacked;

    /** Bytes that the snapshot of the state before takes: 0, for nothing is copied. */
    public readonly int $snapshot;

    /** Bytes that have to be free for a restore of everything, with what always stays free. */
    public readonly int $required;

    /** Bytes free on the filesystem of the document roots; `null` when they cannot be asked for. */
    public readonly ?int $available;

    /** Whether `available` is at least `required`; `null` when it is not known. */
    public readonly ?bool $enough;

    /**
     * The same by filesystem.
     *
     * @var list<Filesystem>
     */
    public readonly array $filesystems;

    public function __construct(Fields $fields)
    {
        $this->currentUsed = $fields->has('current_used') ? $fields->integer('current_used') : null;
        $this->currentUsedAt = $fields->has('current_used_at') ? $fields->text('current_used_at') : null;
        $this->backupSize = $fields->integer('backup_size');
        $this->unpacked = $fields->integer('unpacked');
        $this->snapshot = $fields->integer('snapshot');
        $this->required = $fields->integer('required');
        $this->available = $fields->has('available') ? $fields->integer('available') : null;
        $this->enough = $fields->has('enough') ? $fields->flag('enough') : null;
        $this->filesystems = $fields->objects('filesystems', Filesystem::class);
    }
}
