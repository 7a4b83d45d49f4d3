<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** Settings that go over a restore.toml. */
final class ConfigSettings implements Request
{
    /**
     * @param array<string, mixed> $set Tables of the keys of restore.toml, such as `{"paths": {"backups":
     * "/srv/backups"}}`.
     * @param string|null $file Absolute path of the file; left out: the usual one, where it exists.
     */
    public function __construct(
        public readonly array $set,
        public readonly ?string $file = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'set' => (object) $this->set,
            'file' => $this->file,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
