<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** A part of a backup's tree. */
final class TreeAsked implements Request
{
    /**
     * @param string|null $path The folder, below the document root; empty: the document root. By default "".
     * @param int|null $depth Number of levels below it; at least 1. By default 1.
     * @param int|null $offset Number of nodes before the first one given. By default 0.
     * @param int|null $limit Number of nodes that are given, from 1 to 1,000. By default 200.
     */
    public function __construct(
        public readonly ?string $path = null,
        public readonly ?int $depth = null,
        public readonly ?int $offset = null,
        public readonly ?int $limit = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'path' => $this->path,
            'depth' => $this->depth,
            'offset' => $this->offset,
            'limit' => $this->limit,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
