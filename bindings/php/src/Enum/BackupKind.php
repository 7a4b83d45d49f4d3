<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Whether a backup stands alone. */
enum BackupKind: string
{
    /** The whole state. */
    case Full = 'full';
    /** What changed since the backup before it. */
    case Incremental = 'incremental';
}
