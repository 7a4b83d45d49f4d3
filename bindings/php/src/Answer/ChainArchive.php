<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\BackupKind;

/** One archive of a chain. */
final class ChainArchive implements Answer
{
    /** Absolute path. */
    public readonly string $path;

    /** File name. */
    public readonly string $name;

    /** The first one of a chain is `full`, the others are `incremental`. */
    public readonly BackupKind|string $kind;

    /** When it was made, local time without an offset. */
    public readonly string $date;

    /** Bytes. */
    public readonly int $size;

    public function __construct(Fields $fields)
    {
        $this->path = $fields->text('path');
        $this->name = $fields->text('name');
        $this->kind = $fields->word('kind', BackupKind::class);
        $this->date = $fields->text('date');
        $this->size = $fields->integer('size');
    }
}
