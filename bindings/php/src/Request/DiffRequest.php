<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

use RocketVps\Restore\Enum\Part;

/** What a restore would change; or, with `job` and `part`, a page of what a finished comparison found. */
final class DiffRequest implements Request
{
    /**
     * @param string|null $domain The domain; not needed for a page.
     * @param string|Import|null $backup Absolute path of a backup; `latest`: the newest of the domain that holds what
     * is named and can be read; or an object: a backup of another program, anywhere. By default "latest".
     * @param string|null $dump Absolute path of the dump to take instead of the one chosen for a backup whose database
     * lies beside it.
     * @param Components|null $components What would be restored; left out: everything the backup has to have.
     * @param Exclude|null $exclude What would stay as it is live.
     * @param Options|null $options How the restore behaves.
     * @param bool|null $rows Compare the rows of every selected table that both sides have, one by one. The dump is
     * read for it, and the live tables: twice where rows differ. By default false.
     * @param bool|null $details Answer with the first entries of each part, not with their numbers alone. By default
     * true.
     * @param string|null $job Name of a finished comparison, of which a page is asked for.
     * @param Part|string|null $part The part that the page is of; needed with `job`.
     * @param int|null $offset Number of entries before the first one of the page. By default 0.
     * @param int|null $limit Number of entries of a page, or of each part; left out: 100, at most 1,000.
     * @param bool|null $wait Block until the job ends and answer with its result. By default false.
     * @param string|ConfigSettings|null $config restore.toml to use; left out: the usual one.
     */
    public function __construct(
        public readonly ?string $domain = null,
        public readonly string|Import|null $backup = null,
        public readonly ?string $dump = null,
        public readonly ?Components $components = null,
        public readonly ?Exclude $exclude = null,
        public readonly ?Options $options = null,
        public readonly ?bool $rows = null,
        public readonly ?bool $details = null,
        public readonly ?string $job = null,
        public readonly Part|string|null $part = null,
        public readonly ?int $offset = null,
        public readonly ?int $limit = null,
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
            'options' => $this->options,
            'rows' => $this->rows,
            'details' => $this->details,
            'job' => $this->job,
            'part' => $this->part,
            'offset' => $this->offset,
            'limit' => $this->limit,
            'wait' => $this->wait,
            'config' => $this->config,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
