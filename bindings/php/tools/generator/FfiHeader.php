<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tools;

/** The header for ffi.preload: the prototypes of the C header, and by which name the library is found. */
final class FfiHeader
{
    public static function of(string $header): string
    {
        preg_match_all('/^[a-z][a-z0-9_ ]* \*?rv_\w+\([^)]*\);$/m', $header, $found);
        return "#define FFI_SCOPE \"rocketvps_restore\"\n#define FFI_LIB \"librocketvps_restore.so.1\"\n" . implode("\n", $found[0]) . "\n";
    }
}
