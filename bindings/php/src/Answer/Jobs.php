<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** `list_jobs`: the jobs that are kept. */
final class Jobs implements Answer
{
    /**
     * The jobs, newest first.
     *
     * @var list<JobInfo>
     */
    public readonly array $jobs;

    public function __construct(Fields $fields)
    {
        $this->jobs = $fields->objects('jobs', JobInfo::class);
    }
}
