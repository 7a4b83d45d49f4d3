<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** The parts of a job a user sees as boxes. */
enum Phase: string
{
    /** Extracting, or compressing, or reading files. Items are entries, bytes are file content. */
    case Files = 'files';
    /** Loading or dumping the database. Items are rows, bytes are dump text. */
    case Database = 'database';
    /** Rendering and testing configuration. Items are files. */
    case Config = 'config';
    /** Verification, staged and live. Items are checks or entries, bytes are file content read back. */
    case Verify = 'verify';
}
