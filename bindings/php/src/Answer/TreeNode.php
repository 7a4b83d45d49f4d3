<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\NodeKind;

/** A folder, file or link of a tree. */
final class TreeNode implements Answer
{
    /** Path below the document root; folders end with a slash. */
    public readonly string $path;

    /** Number of folders above it, the document root not counted. */
    public readonly int $depth;

    /** What it is; only with `tree` in the request. */
    public readonly NodeKind|string|null $kind;

    /** Number of files in it and below; of a file, 1. */
    public readonly int $files;

    /** Bytes of those files. */
    public readonly int $bytes;

    /** Files in a folder by what they are; only with `tree` in the request. */
    public readonly ?ByType $byType;

    public function __construct(Fields $fields)
    {
        $this->path = $fields->text('path');
        $this->depth = $fields->integer('depth');
        $this->kind = $fields->has('kind') ? $fields->word('kind', NodeKind::class) : null;
        $this->files = $fields->integer('files');
        $this->bytes = $fields->integer('bytes');
        $this->byType = $fields->has('by_type') ? $fields->object('by_type', ByType::class) : null;
    }
}
