<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** How a difference comes out. */
enum CompatibilityOutcome: string
{
    /** Dealt with, nothing changes for the site. */
    case Pass = 'pass';
    /** Dealt with; the site may notice. */
    case Warn = 'warn';
    /** The dump is refused. */
    case Fail = 'fail';
}
