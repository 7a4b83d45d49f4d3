<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** How much an event matters. */
enum Level: string
{
    /** What happened. */
    case Info = 'info';
    /** Something was adapted, stripped or left out. */
    case Warn = 'warn';
    /** Something failed. */
    case Error = 'error';
}
