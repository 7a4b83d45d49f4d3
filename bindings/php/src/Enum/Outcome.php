<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Outcome of one check. */
enum Outcome: string
{
    /** Compared and equal, or asked and answered. */
    case Pass = 'pass';
    /** Could not or need not be checked; the text says why. */
    case NotChecked = 'not_checked';
    /** Worth knowing, no reason to stop. */
    case Warn = 'warn';
    /** A reason to stop. */
    case Fail = 'fail';
}
