<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Send it in parts, or refuse the dump. */
enum SplitOrRefuse: string
{
    /** Rows of one statement go in several. */
    case Split = 'split';
    /** The dump is refused. */
    case Refuse = 'refuse';
}
