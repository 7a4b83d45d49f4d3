<?php

declare(strict_types=1);

namespace RocketVps\Restore;

use RocketVps\Restore\Exception\TransportException;

/**
 * Calls the library in this process, through FFI. There is no timeout.
 *
 * Under PHP-FPM with `ffi.enable=preload` PHP lets only preloaded code use FFI. This needs in php.ini:
 *
 *     ffi.enable = preload
 *     ffi.preload = /usr/share/php/RocketVps/Restore/rocketvps_restore.ffi.h
 *     opcache.preload = /usr/share/php/RocketVps/Restore/preload.php
 *     opcache.preload_user = www-data
 *
 * No method here loads a library by its name: any page could then call it in preloaded code, and PHP would load whatever
 * library the page names.
 */
final class FfiTransport implements Transport
{
    /** Name of the preloaded library, for FFI::scope(). */
    public const SCOPE = 'rocketvps_restore';
    /** Version of the library's functions that this class knows. */
    public const ABI = 1;

    /** Functions that are no calls: a string for a pointer would crash the process. */
    private const NO_CALLS = ['abi_version', 'string_free', 'version'];

    /** @param \FFI $library from FfiLibrary::load(); preloaded() needs none */
    public function __construct(private readonly \FFI $library)
    {
        /** @phpstan-ignore-next-line the functions are those of the header */
        $version = $library->rv_abi_version();
        if ($version !== self::ABI) {
            throw TransportException::because(
                "the library has version $version of its functions, and this class knows " . self::ABI,
                'Install the client and the engine in the same version.',
            );
        }
    }

    /** The preloaded library. */
    public static function preloaded(): self
    {
        try {
            $library = \FFI::scope(self::SCOPE);
        } catch (\FFI\Exception $exception) {
            throw TransportException::because(
                "the library is not preloaded: {$exception->getMessage()}",
                'Set ffi.preload and opcache.preload in php.ini, and restart PHP-FPM.',
                $exception,
            );
        }
        return new self($library);
    }

    public function version(): string
    {
        /** @phpstan-ignore-next-line the functions are those of the header */
        return $this->library->rv_version();
    }

    public function call(string $call, string $request, bool $waits = false): string
    {
        if (preg_match('/^[a-z]+(_[a-z]+)*$/D', $call) !== 1 || in_array($call, self::NO_CALLS, true)) {
            throw new \InvalidArgumentException("$call is no name of a call");
        }
        try {
            $answer = $this->library->{"rv_$call"}($request);
        } catch (\FFI\Exception $exception) {
            throw TransportException::because("the library has no call $call", 'Install a later version of the engine.', $exception);
        }
        try {
            return \FFI::string($answer);
        } finally {
            /** @phpstan-ignore-next-line the functions are those of the header */
            $this->library->rv_string_free($answer);
        }
    }
}
