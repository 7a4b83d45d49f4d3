<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Take it as it is, or refuse the dump. */
enum KeepOrRefuse: string
{
    /** Loaded under a mode that takes it. */
    case Keep = 'keep';
    /** The dump is refused. */
    case Refuse = 'refuse';
}
