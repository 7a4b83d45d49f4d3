<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Put something the server knows in its place, or refuse the dump. */
enum MapOrRefuse: string
{
    /** The nearest the server has. */
    case Map = 'map';
    /** The dump is refused. */
    case Refuse = 'refuse';
}
