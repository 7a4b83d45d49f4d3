<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** A table whose newer rows are carried into the restored one. */
final class KeepRows implements Request
{
    /**
     * @param string $table The table. Newer are its rows with a key above the greatest one in the backup.
     * @param string|null $column The column that tells instead of the key what is newer, such as `created_at`: for
     * tables whose key is no one whole number.
     */
    public function __construct(
        public readonly string $table,
        public readonly ?string $column = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'table' => $this->table,
            'column' => $this->column,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
