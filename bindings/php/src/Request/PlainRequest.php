<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** A request that names nothing. */
final class PlainRequest implements Request
{
    /** @param string|ConfigSettings|null $config restore.toml to use; left out: the usual one. */
    public function __construct(
        public readonly string|ConfigSettings|null $config = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'config' => $this->config,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
