<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** What is in a backup. */
final class PreviewRequest implements Request
{
    /**
     * @param string $domain The domain.
     * @param string|Import|null $backup Absolute path of a backup; `latest`: the newest of the domain that can be read;
     * or an object: a backup of another program, anywhere. By default "latest".
     * @param string|null $dump Absolute path of the dump to take instead of the one chosen for a backup whose database
     * lies beside it.
     * @param TreeAsked|null $tree A part of the tree, in any depth; left out: the first folders of all of it.
     * @param bool|null $wait Block until the job ends and answer with its result. By default false.
     * @param string|ConfigSettings|null $config restore.toml to use; left out: the usual one.
     */
    public function __construct(
        public readonly string $domain,
        public readonly string|Import|null $backup = null,
        public readonly ?string $dump = null,
        public readonly ?TreeAsked $tree = null,
        public readonly ?bool $wait = null,
        public readonly string|ConfigSettings|null $config = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'domain' => $this->domain,
            'backup' => $this->backup,
            'dump' => $this->dump,
            'tree' => $this->tree,
            'wait' => $this->wait,
            'config' => $this->config,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
