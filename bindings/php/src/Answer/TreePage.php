<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Which part of a tree is shown. */
final class TreePage implements Answer
{
    /** The folder that was asked for, below the document root; empty: the document root. */
    public readonly string $path;

    /** Number of levels below it. */
    public readonly int $depth;

    /** Number of nodes before the first one shown. */
    public readonly int $offset;

    /** Most nodes on a page. */
    public readonly int $limit;

    /** Number of nodes on all pages. */
    public readonly int $total;

    public function __construct(Fields $fields)
    {
        $this->path = $fields->text('path');
        $this->depth = $fields->integer('depth');
        $this->offset = $fields->integer('offset');
        $this->limit = $fields->integer('limit');
        $this->total = $fields->integer('total');
    }
}
