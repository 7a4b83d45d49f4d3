<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** What stands at a path of a tree. */
enum NodeKind: string
{
    /** A folder. */
    case Folder = 'folder';
    /** A file. */
    case File = 'file';
    /** A symbolic link. */
    case Link = 'link';
}
