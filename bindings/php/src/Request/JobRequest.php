<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** A request about one job. */
final class JobRequest implements Request
{
    /**
     * @param string $job Name of the job.
     * @param int|null $since Events after this sequence number are given; 0: all of them. `restore_cancel` gives none.
     * By default 0.
     * @param string|ConfigSettings|null $config restore.toml to use; left out: the usual one.
     */
    public function __construct(
        public readonly string $job,
        public readonly ?int $since = null,
        public readonly string|ConfigSettings|null $config = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'job' => $this->job,
            'since' => $this->since,
            'config' => $this->config,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
