<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** What stays as it is live, although it would be restored. */
final class Exclude implements Request
{
    /**
     * @param list<string>|null $files Paths and globs below the document root.
     * @param list<string>|null $database Names and globs of tables.
     * @param list<string>|null $config Configuration items.
     */
    public function __construct(
        public readonly ?array $files = null,
        public readonly ?array $database = null,
        public readonly ?array $config = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'files' => $this->files,
            'database' => $this->database,
            'config' => $this->config,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
