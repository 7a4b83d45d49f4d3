<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** A log to read. */
final class LogRequest implements Request
{
    /**
     * @param string $domain The domain.
     * @param string $name The log's name, as `list_logs` has it: `restore_20251004_101532.log`.
     * @param int|null $offset Bytes to leave out at the beginning: 0, or `next` of the answer before. By default 0.
     * @param string|ConfigSettings|null $config restore.toml to use; left out: the usual one.
     */
    public function __construct(
        public readonly string $domain,
        public readonly string $name,
        public readonly ?int $offset = null,
        public readonly string|ConfigSettings|null $config = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'domain' => $this->domain,
            'name' => $this->name,
            'offset' => $this->offset,
            'config' => $this->config,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
