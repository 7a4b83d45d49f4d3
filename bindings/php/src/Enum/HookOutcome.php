<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** How a hook came out. */
enum HookOutcome: string
{
    /** It ended with 0. */
    case Done = 'done';
    /** It ended with 75 before the change-over, and stopped the job. */
    case Refused = 'refused';
    /** It ended with another status, by a signal, or could not be run. */
    case Failed = 'failed';
    /** It did not end within `limits.hook_s`, or the job was to stop. */
    case Ended = 'ended';
}
