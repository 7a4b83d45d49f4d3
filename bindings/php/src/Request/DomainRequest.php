<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** A request about one domain. */
final class DomainRequest implements Request
{
    /**
     * @param string $domain The domain.
     * @param bool|null $wait Block until the job ends and answer with its result. By default false.
     * @param string|ConfigSettings|null $config restore.toml to use; left out: the usual one.
     */
    public function __construct(
        public readonly string $domain,
        public readonly ?bool $wait = null,
        public readonly string|ConfigSettings|null $config = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'domain' => $this->domain,
            'wait' => $this->wait,
            'config' => $this->config,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
