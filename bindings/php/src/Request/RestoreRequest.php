<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** A restore, or its validation. */
final class RestoreRequest implements Request
{
    /**
     * @param string $domain The domain.
     * @param string|Import|null $backup Absolute path of a backup; `latest`: the newest of the domain that holds what
     * is named and can be read; or an object: a backup of another program, anywhere. By default "latest".
     * @param string|null $dump Absolute path of the dump to take instead of the one chosen for a backup whose database
     * lies beside it.
     * @param Components|null $components What to restore; left out: everything the backup has to have.
     * @param Exclude|null $exclude What stays as it is live.
     * @param string|null $snapshot Absolute path of a portable snapshot that was made for this restore.
     * @param string|null $planToken Token of a validation; the restore is refused when the live state changed since.
     * @param bool|null $dryRun Plan and check, change nothing: the answer is that of `validate`. By default false.
     * @param Options|null $options How the restore behaves.
     * @param bool|null $wait Block until the job ends and answer with its result. By default false.
     * @param string|ConfigSettings|null $config restore.toml to use; left out: the usual one.
     */
    public function __construct(
        public readonly string $domain,
        public readonly string|Import|null $backup = null,
        public readonly ?string $dump = null,
        public readonly ?Components $components = null,
        public readonly ?Exclude $exclude = null,
        public readonly ?string $snapshot = null,
        public readonly ?string $planToken = null,
        public readonly ?bool $dryRun = null,
        public readonly ?Options $options = null,
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
            'components' => $this->components,
            'exclude' => $this->exclude,
            'snapshot' => $this->snapshot,
            'plan_token' => $this->planToken,
            'dry_run' => $this->dryRun,
            'options' => $this->options,
            'wait' => $this->wait,
            'config' => $this->config,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
