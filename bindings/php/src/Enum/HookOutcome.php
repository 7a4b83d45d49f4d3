<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** How a hook came out. */
enum HookOutcome: string
{
    /** It ended with 0. */
    case Done = 'done';
    /**
     * It stopped the job, before the change-over: it ended with 75 or by a signal, not in its time, or could not be
     * run.
     */
    case Refused = 'refused';
    /** It ended with another status than 0, or, after the change-over, by a signal, or could not be run. */
    case Failed = 'failed';
    /** The job was to stop, or, after the change-over, it did not end within `limits.hook_s`. */
    case Ended = 'ended';
}
