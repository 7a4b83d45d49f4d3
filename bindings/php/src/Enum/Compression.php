<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** How an archive is packed. */
enum Compression: string
{
    /** By gzip. */
    case Gzip = 'gzip';
    /** Not at all. */
    case None = 'none';
}
