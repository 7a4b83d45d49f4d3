<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The files that were restored. */
final class RestoredFiles implements Answer
{
    /** Number of files, further names of a file included. */
    public readonly int $files;

    /** Number of folders. */
    public readonly int $folders;

    /** Number of symbolic links. */
    public readonly int $links;

    /** Bytes of content. */
    public readonly int $bytes;

    /** Number of set-id bits and attributes that were left out. */
    public readonly int $stripped;

    /** Number of files that were live as the backup has them, byte by byte, and stayed where they were. */
    public readonly int $unchanged;

    /** Number of parts that changed places one by one; `null`: the document root as a whole. */
    public readonly ?int $parts;

    /**
     * What was kept of the live tree, the first 100.
     *
     * @var list<KeptPath>
     */
    public readonly array $kept;

    /** Number of all that was kept. */
    public readonly int $keptTotal;

    public function __construct(Fields $fields)
    {
        $this->files = $fields->integer('files');
        $this->folders = $fields->integer('folders');
        $this->links = $fields->integer('links');
        $this->bytes = $fields->integer('bytes');
        $this->stripped = $fields->integer('stripped');
        $this->unchanged = $fields->integer('unchanged');
        $this->parts = $fields->has('parts') ? $fields->integer('parts') : null;
        $this->kept = $fields->objects('kept', KeptPath::class);
        $this->keptTotal = $fields->integer('kept_total');
    }
}
