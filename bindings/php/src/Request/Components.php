<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** Which components to restore. Those left out are not restored. */
final class Components implements Request
{
    /**
     * @param bool|list<string>|null $files The document root. By default false.
     * @param bool|list<string>|null $database The database. By default false.
     * @param bool|list<string>|null $config nginx, PHP-FPM, certificates, cron. By default false.
     */
    public function __construct(
        public readonly bool|array|null $files = null,
        public readonly bool|array|null $database = null,
        public readonly bool|array|null $config = null,
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
