<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** A live path that was kept, with all below it. */
final class KeptPath implements Answer
{
    /** Path below the document root; its bytes where they are no UTF-8. */
    public readonly string $path;

    /** `left_out` by the backup's writer, or `excluded` by the request. */
    public readonly string $reason;

    /** Number of files and links in it. */
    public readonly int $files;

    /** Bytes of the files. */
    public readonly int $bytes;

    public function __construct(Fields $fields)
    {
        $this->path = $fields->path('path');
        $this->reason = $fields->text('reason');
        $this->files = $fields->integer('files');
        $this->bytes = $fields->integer('bytes');
    }
}
