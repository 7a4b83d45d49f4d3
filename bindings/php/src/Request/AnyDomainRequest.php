<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** A request about all domains, or about one. */
final class AnyDomainRequest implements Request
{
    /**
     * @param string|null $domain The domain; left out: all of them.
     * @param bool|null $wait Block until the job ends and answer with its result. Lists are answered at once anyway. By
     * default false.
     * @param string|ConfigSettings|null $config restore.toml to use; left out: the usual one.
     */
    public function __construct(
        public readonly ?string $domain = null,
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
