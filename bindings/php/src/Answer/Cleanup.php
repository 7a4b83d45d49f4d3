<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** `cleanup`: what was removed. */
class Cleanup implements Alternative
{
    /**
     * Absolute paths of expired and unfinished snapshots.
     *
     * @var list<string>
     */
    public readonly array $snapshots;

    /**
     * Names of interrupted restores whose staging was removed.
     *
     * @var list<string>
     */
    public readonly array $interrupted;

    /**
     * Staging folders, schemas and accounts that no job and no snapshot refers to.
     *
     * @var list<string>
     */
    public readonly array $orphans;

    /** Number of folders of old jobs. */
    public readonly int $jobs;

    public function __construct(Fields $fields)
    {
        $this->snapshots = $fields->texts('snapshots');
        $this->interrupted = $fields->texts('interrupted');
        $this->orphans = $fields->texts('orphans');
        $this->jobs = $fields->integer('jobs');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('snapshots', 'interrupted', 'orphans', 'jobs');
    }
}
