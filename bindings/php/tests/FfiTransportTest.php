<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tests;

use PHPUnit\Framework\TestCase;
use RocketVps\Restore\Exception\TransportException;
use RocketVps\Restore\FfiTransport;
use RocketVps\Restore\LibraryTransport;

/** What can be said without the library; tests/php has it. */
final class FfiTransportTest extends TestCase
{
    protected function setUp(): void
    {
        if (!extension_loaded('ffi')) {
            self::markTestSkipped('no FFI');
        }
    }

    public function testAMissingLibraryIsAFailureWithAHint(): void
    {
        try {
            new LibraryTransport('/nonexistent/library.so');
            self::fail('it was loaded');
        } catch (TransportException $exception) {
            self::assertStringContainsString('/nonexistent/library.so cannot be loaded', $exception->getMessage());
            self::assertStringContainsString('SocketTransport', $exception->hint);
        }
    }

    public function testALibraryThatIsNotPreloadedIsAFailureWithAHint(): void
    {
        try {
            FfiTransport::preloaded();
            self::fail('it was there');
        } catch (TransportException $exception) {
            self::assertStringContainsString('ffi.preload', $exception->hint);
        }
    }
}
