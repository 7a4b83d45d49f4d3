<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** A file that a snapshot is made of. */
final class SnapshotPart implements Answer
{
    /** Its name in the snapshot's folder. */
    public readonly string $name;

    /** Bytes. */
    public readonly int $bytes;

    /** SHA-256 of its bytes, hex. */
    public readonly string $sha256;

    public function __construct(Fields $fields)
    {
        $this->name = $fields->text('name');
        $this->bytes = $fields->integer('bytes');
        $this->sha256 = $fields->text('sha256');
    }
}
