<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Who says that an archive is sound or damaged. */
enum IntegritySource: string
{
    /** This program, which read it to its last byte. */
    case Index = 'index';
    /** Its writer, in the `.meta` file beside it. */
    case Meta = 'meta';
}
