<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** What of two entries is not equal. */
enum Unequal: string
{
    /** One is a file and the other a folder, and so on. */
    case Type = 'type';
    /** The size of two files. */
    case Size = 'size';
    /** The content of two files. */
    case Content = 'content';
    /** Where two links lead. */
    case LinkTarget = 'link target';
    /** The permissions. */
    case Mode = 'mode';
}
