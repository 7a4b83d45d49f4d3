<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\FileType;

/** An entry as one side has it. */
final class FileSide implements Answer
{
    /** What it is. */
    public readonly FileType|string $type;

    /** Bytes; only of files. */
    public readonly ?int $size;

    /** When it was last changed, RFC 3339; only of files, `null` where it is not known. */
    public readonly ?string $mtime;

    /** Permissions, four octal digits; only of files and folders. */
    public readonly ?string $mode;

    public function __construct(Fields $fields)
    {
        $this->type = $fields->word('type', FileType::class);
        $this->size = $fields->has('size') ? $fields->integer('size') : null;
        $this->mtime = $fields->has('mtime') ? $fields->text('mtime') : null;
        $this->mode = $fields->has('mode') ? $fields->text('mode') : null;
    }
}
