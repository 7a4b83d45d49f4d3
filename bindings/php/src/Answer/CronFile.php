<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The commands of a cron file. */
final class CronFile implements Alternative
{
    /**
     * The commands.
     *
     * @var list<CronJob>
     */
    public readonly array $jobs;

    public function __construct(Fields $fields)
    {
        $this->jobs = $fields->objects('jobs', CronJob::class);
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('jobs');
    }
}
