<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** How far a phase is. */
enum PhaseState: string
{
    /** Not begun. */
    case Pending = 'pending';
    /** At work. */
    case Active = 'active';
    /** Over. */
    case Done = 'done';
    /** No part of this job. */
    case Skipped = 'skipped';
}
