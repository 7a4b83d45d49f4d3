<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** Back to an earlier state: with exactly one of `job` and `snapshot`. */
final class RollbackRequest implements Request
{
    /**
     * @param string|null $domain The domain; not needed with a `job`, whose domain it then is. Another one beside a
     * `job` is refused.
     * @param string|null $job Name of a job: back to the state before it.
     * @param string|null $snapshot Absolute path of a snapshot: back to the state it holds.
     * @param bool|null $wait Block until the job ends and answer with its result. By default false.
     * @param string|ConfigSettings|null $config restore.toml to use; left out: the usual one.
     */
    public function __construct(
        public readonly ?string $domain = null,
        public readonly ?string $job = null,
        public readonly ?string $snapshot = null,
        public readonly ?bool $wait = null,
        public readonly string|ConfigSettings|null $config = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'domain' => $this->domain,
            'job' => $this->job,
            'snapshot' => $this->snapshot,
            'wait' => $this->wait,
            'config' => $this->config,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
