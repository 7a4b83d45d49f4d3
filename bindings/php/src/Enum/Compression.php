<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** How an archive is packed. */
enum Compression: string
{
    /** By gzip. */
    case Gzip = 'gzip';
    /** By Zstandard. */
    case Zstd = 'zstd';
    /** By xz. */
    case Xz = 'xz';
    /** By bzip2. */
    case Bzip2 = 'bzip2';
    /** By lz4. */
    case Lz4 = 'lz4';
    /** Each file by itself, as zip does. */
    case Zip = 'zip';
    /** Files together, as 7-Zip does. */
    case SevenZip = 'seven_zip';
    /** Not at all. */
    case None = 'none';
}
