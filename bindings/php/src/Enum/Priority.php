<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** CPU and I/O priority of the worker. */
enum Priority: string
{
    /** The site goes first. */
    case Polite = 'polite';
    /** Like any other process. */
    case Normal = 'normal';
}
