<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Leave it out, or refuse the dump. */
enum StripOrRefuse: string
{
    /** It is left out. */
    case Strip = 'strip';
    /** The dump is refused. */
    case Refuse = 'refuse';
}
