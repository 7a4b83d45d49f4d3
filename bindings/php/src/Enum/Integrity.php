<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** What is known of an archive's soundness without reading it. */
enum Integrity: string
{
    /** Nobody looked, or its `.meta` file does not say. */
    case Unknown = 'unknown';
    /** It was read to its last byte by this program, or its writer says that it is sound. */
    case Valid = 'valid';
    /** It is damaged. */
    case Invalid = 'invalid';
}
