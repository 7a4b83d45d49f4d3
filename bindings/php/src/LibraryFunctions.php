<?php

declare(strict_types=1);

namespace RocketVps\Restore;

use RocketVps\Restore\Exception\TransportException;

/**
 * Which functions of the library are calls. Preloaded, as FfiTransport is, and under the same rules.
 *
 * @internal
 */
final class LibraryFunctions
{
    /** Version of the library's functions that this package knows. */
    public const ABI = 1;

    /** Functions that are no calls: a string for a pointer would crash the process. */
    public const NO_CALLS = ['abi_version', 'string_free', 'version'];

    /** The function of a call. */
    public static function of(string $call): string
    {
        if (\preg_match('/^[a-z]+(_[a-z]+)*$/D', $call) !== 1 || \in_array($call, self::NO_CALLS, true)) {
            throw new \InvalidArgumentException("$call is no name of a call");
        }
        return "rv_$call";
    }

    public static function requireAbi(int $version): void
    {
        if ($version !== self::ABI) {
            throw TransportException::because(
                "the library has version $version of its functions, and this class knows " . self::ABI,
                'Install the client and the engine in the same version.',
            );
        }
    }

    public static function missing(string $call, \Throwable $exception): TransportException
    {
        return TransportException::because("the library has no call $call", 'Install a later version of the engine.', $exception);
    }
}
