<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** A page that has to come. */
final class Probe implements Request
{
    /**
     * @param string|null $path Its address below the domain, such as `/shop/`. By default "".
     * @param string|null $text Text that it has to hold, as it stands in the page's source; empty: any. By default "".
     */
    public function __construct(
        public readonly ?string $path = null,
        public readonly ?string $text = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'path' => $this->path,
            'text' => $this->text,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
