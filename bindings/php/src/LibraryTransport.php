<?php

declare(strict_types=1);

namespace RocketVps\Restore;

use RocketVps\Restore\Exception\TransportException;

/**
 * Loads the library by its name and calls it in this process, through FFI, where PHP lets all code use FFI: on the command
 * line, and with `ffi.enable=true`. There is no timeout. Never preload this class.
 */
final class LibraryTransport implements Transport
{
    public const NAME = 'librocketvps_restore.so.1';

    private const HEADER = __DIR__ . '/rocketvps_restore.ffi.h';

    private readonly \FFI $library;

    public function __construct(string $library = self::NAME)
    {
        // PHP refuses as much, but not where somebody preloaded this class: any page could then load any library.
        if (\PHP_SAPI !== 'cli' && \strcasecmp((string) \ini_get('ffi.enable'), 'preload') === 0) {
            throw TransportException::because('a page may not load a library', 'Use SocketTransport, or FfiTransport::preloaded().');
        }
        $declarations = file_get_contents(self::HEADER);
        if ($declarations === false) {
            throw TransportException::because('cannot read ' . self::HEADER, 'Install the package again.');
        }
        try {
            // FFI::cdef() takes no preprocessor lines, which only FFI::load() and ffi.preload need.
            $this->library = \FFI::cdef((string) preg_replace('/^#.*$/m', '', $declarations), $library);
        } catch (\FFI\Exception $exception) {
            throw TransportException::because(
                "$library cannot be loaded: {$exception->getMessage()}",
                'Install librocketvps-restore1 and php-ffi, or use SocketTransport.',
                $exception,
            );
        }
        /** @phpstan-ignore-next-line the functions are those of the header */
        LibraryFunctions::requireAbi($this->library->rv_abi_version());
    }

    public function version(): string
    {
        /** @phpstan-ignore-next-line the functions are those of the header */
        return $this->library->rv_version();
    }

    public function call(string $call, string $request, bool $waits = false): string
    {
        $function = LibraryFunctions::of($call);
        try {
            $answer = $this->library->$function($request);
        } catch (\FFI\Exception $exception) {
            throw LibraryFunctions::missing($call, $exception);
        }
        try {
            return \FFI::string($answer);
        } finally {
            /** @phpstan-ignore-next-line the functions are those of the header */
            $this->library->rv_string_free($answer);
        }
    }
}
