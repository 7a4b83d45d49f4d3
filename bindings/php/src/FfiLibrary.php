<?php

declare(strict_types=1);

namespace RocketVps\Restore;

use RocketVps\Restore\Exception\TransportException;

/** Loads the library for an FfiTransport, where PHP lets all code use FFI: on the command line, and with `ffi.enable=true`. */
final class FfiLibrary
{
    public const NAME = 'librocketvps_restore.so.1';

    private const HEADER = __DIR__ . '/rocketvps_restore.ffi.h';

    public static function load(string $library = self::NAME): \FFI
    {
        $declarations = file_get_contents(self::HEADER);
        if ($declarations === false) {
            throw TransportException::because('cannot read ' . self::HEADER, 'Install the package again.');
        }
        try {
            // FFI::cdef() takes no preprocessor lines, which only FFI::load() and ffi.preload need.
            return \FFI::cdef((string) preg_replace('/^#.*$/m', '', $declarations), $library);
        } catch (\FFI\Exception $exception) {
            throw TransportException::because(
                "$library cannot be loaded: {$exception->getMessage()}",
                'Install librocketvps-restore1 and php-ffi, or use SocketTransport.',
                $exception,
            );
        }
    }
}
