<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Leave out a statement that no dump of a site needs, or refuse the dump. */
enum SkipOrRefuseStatement: string
{
    /** It is left out, with a note. */
    case Skip = 'skip';
    /** The dump is refused. */
    case Refuse = 'refuse';
}
