<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** What an entry of a tree is. */
enum FileType: string
{
    /** A file. */
    case File = 'file';
    /** A folder. */
    case Folder = 'folder';
    /** A symbolic link. */
    case Link = 'link';
    /** A device, FIFO or socket. */
    case Special = 'special';
}
