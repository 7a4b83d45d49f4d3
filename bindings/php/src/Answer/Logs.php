<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** `list_logs`: the logs of restores and rollbacks. */
final class Logs implements Answer
{
    /**
     * The logs, newest first.
     *
     * @var list<LogInfo>
     */
    public readonly array $logs;

    public function __construct(Fields $fields)
    {
        $this->logs = $fields->objects('logs', LogInfo::class);
    }
}
