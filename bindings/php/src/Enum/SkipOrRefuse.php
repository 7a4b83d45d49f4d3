<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Leave it to the servers it is meant for, or refuse the dump. */
enum SkipOrRefuse: string
{
    /** As this server itself would. */
    case Skip = 'skip';
    /** The dump is refused. */
    case Refuse = 'refuse';
}
