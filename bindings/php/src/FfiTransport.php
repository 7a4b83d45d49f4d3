<?php

declare(strict_types=1);

namespace RocketVps\Restore;

use RocketVps\Restore\Exception\TransportException;

/**
 * Calls the preloaded library in this process, through FFI. There is no timeout. LibraryTransport is for the command line.
 *
 * Under PHP-FPM with `ffi.enable=preload` PHP lets only preloaded code use FFI. This needs in php.ini:
 *
 *     ffi.enable = preload
 *     ffi.preload = /usr/share/php/RocketVps/Restore/rocketvps_restore.ffi.h
 *     opcache.preload = /usr/share/php/RocketVps/Restore/preload.php
 *     opcache.preload_user = www-data
 *
 * Any page can call this class, its private parts too, and whoever has an FFI object or what a function of it returned can
 * read and write all memory of the process. So both are in local variables alone, which no reflection and no backtrace
 * shows: never in a property, a parameter, a closure or a result, and never an argument of what can throw, since
 * exceptions keep arguments. Nothing of the page's runs while they are there. Functions have their backslash: without it,
 * a page's function of this namespace would come first. No method takes the name of a library: PHP would load any.
 */
final class FfiTransport implements Transport
{
    /** Name of the preloaded library, for FFI::scope(). */
    public const SCOPE = 'rocketvps_restore';

    private function __construct()
    {
    }

    public static function preloaded(): self
    {
        try {
            /** @phpstan-ignore-next-line the functions are those of the header */
            $version = \FFI::scope(self::SCOPE)->rv_abi_version();
        } catch (\FFI\Exception $exception) {
            throw TransportException::because(
                "the library is not preloaded: {$exception->getMessage()}",
                'Set ffi.preload and opcache.preload in php.ini, and restart PHP-FPM.',
                $exception,
            );
        }
        LibraryFunctions::requireAbi($version);
        return new self();
    }

    public function version(): string
    {
        /** @phpstan-ignore-next-line the functions are those of the header */
        return \FFI::scope(self::SCOPE)->rv_version();
    }

    public function call(string $call, string $request, bool $waits = false): string
    {
        $function = LibraryFunctions::of($call);
        $library = \FFI::scope(self::SCOPE);
        try {
            $answer = $library->$function($request);
        } catch (\FFI\Exception $exception) {
            throw LibraryFunctions::missing($call, $exception);
        }
        // FFI::string() of it would throw, with it as an argument.
        if (\FFI::isNull($answer)) {
            throw TransportException::because("the library gave no answer to $call", 'The server may be out of memory.');
        }
        $text = \FFI::string($answer);
        /** @phpstan-ignore-next-line the functions are those of the header */
        $library->rv_string_free($answer);
        return $text;
    }
}
