<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The result of a job that was waited for. */
final class FinishedComparison extends Comparison
{
    /** Name of the job; `null` for a preview that needed none. */
    public readonly ?string $job;

    public function __construct(Fields $fields)
    {
        parent::__construct($fields);
        $this->job = $fields->has('job') ? $fields->text('job') : null;
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('files', 'tables', 'config', 'plan_token', 'domain', 'backup', 'job');
    }
}
