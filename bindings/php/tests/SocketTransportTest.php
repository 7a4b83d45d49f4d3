<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tests;

use PHPUnit\Framework\TestCase;
use RocketVps\Restore\Exception\TransportException;
use RocketVps\Restore\SocketTransport;

final class SocketTransportTest extends TestCase
{
    public function testItSendsOneLineAndReadsToTheEnd(): void
    {
        $broker = new FakeBroker(static function ($stream): void {
            // In pieces, as a socket may give it.
            foreach (str_split((string) fgets($stream), 7) as $piece) {
                fwrite($stream, $piece);
                usleep(1000);
            }
        });
        $transport = $this->to($broker, onBehalf: "m\u{e4}i \"the\" admin\n");
        $line = $transport->call('list_backups', '{"config":{"set":{}},"domain":"shop.example"}');
        self::assertSame(
            '{"call":"list_backups","request":{"config":{"set":{}},"domain":"shop.example"},"on_behalf":"m\u00e4i \"the\" admin\n"}' . "\n",
            $line,
        );
        self::assertSame($line, $transport->call('list_backups', '{"config":{"set":{}},"domain":"shop.example"}'), 'a second call has a connection of its own');
    }

    public function testLargeDocumentsPassInBothDirections(): void
    {
        $broker = new FakeBroker(static function ($stream): void {
            $line = (string) fgets($stream);
            fwrite($stream, $line . str_repeat('x', 4 << 20));
        });
        $request = '{"text":"' . str_repeat('y', 1_000_000) . '"}';
        $answer = $this->to($broker)->call('validate', $request);
        self::assertStringContainsString($request, $answer);
        self::assertGreaterThan(5_000_000, strlen($answer));
    }

    public function testABusyBrokerAnswersBeforeItHasRead(): void
    {
        $broker = new FakeBroker(static function ($stream): void {
            fwrite($stream, 'busy');
            stream_socket_shutdown($stream, STREAM_SHUT_RDWR);
        });
        $answer = null;
        try {
            $answer = $this->to($broker)->call('validate', '{"text":"' . str_repeat('y', 1_000_000) . '"}');
        } catch (TransportException) {
            // The kernel may drop what was sent when the other end left bytes unread.
        }
        self::assertContains($answer, ['busy', null]);
        self::assertSame('busy', $this->to($broker)->call('list_domains', '{}'));
    }

    public function testASilentBrokerIsLeft(): void
    {
        $broker = new FakeBroker(static function ($stream): void {
            fwrite($stream, '{');
            sleep(30);
        });
        $begun = microtime(true);
        $exception = $this->failure($this->to($broker, answerTimeout: 0.3));
        self::assertStringContainsString('within 0.3 s', $exception->getMessage());
        self::assertLessThan(5, microtime(true) - $begun);
    }

    public function testACallThatWaitsHasATimeoutOfItsOwn(): void
    {
        $broker = new FakeBroker(static function ($stream): void {
            fgets($stream);
            usleep(600_000);
            fwrite($stream, 'late');
        });
        self::assertSame('late', $this->to($broker, answerTimeout: 0.1)->call('verify', '{}', true));
    }

    public function testABrokerThatTricklesIsLeft(): void
    {
        $broker = new FakeBroker(static function ($stream): void {
            for ($n = 0; $n < 200; $n++) {
                fwrite($stream, ' ');
                usleep(50_000);
            }
        });
        $begun = microtime(true);
        $this->failure($this->to($broker, answerTimeout: 0.4));
        self::assertLessThan(5, microtime(true) - $begun);
    }

    public function testAnEndlessAnswerIsRefused(): void
    {
        $broker = new FakeBroker(static function ($stream): void {
            while (@fwrite($stream, str_repeat(' ', 65536))) {
            }
        });
        $transport = new SocketTransport($broker->socket, maxAnswer: 1 << 20, owner: null);
        self::assertStringContainsString('larger than 1048576 bytes', $this->failure($transport)->getMessage());
    }

    public function testNoAnswerIsAFailure(): void
    {
        $broker = new FakeBroker(static function ($stream): void {
            fgets($stream);
        });
        self::assertStringContainsString('without an answer', $this->failure($this->to($broker))->getMessage());
    }

    public function testNoBrokerIsAFailureWithAHint(): void
    {
        $exception = $this->failure(new SocketTransport('/nonexistent/socket'));
        self::assertSame(TransportException::NAME, $exception->name);
        self::assertStringContainsString('rocketvps-restore serve', $exception->hint);
    }

    public function testTheSocketOfAnotherUserIsNotAsked(): void
    {
        $broker = new FakeBroker(static function ($stream): void {
            fwrite($stream, 'not reached');
        });
        $exception = $this->failure(new SocketTransport($broker->socket, owner: posix_geteuid() + 1));
        self::assertStringContainsString('belongs to user ' . posix_geteuid(), $exception->getMessage());
    }

    public function testALinkIsNotAsked(): void
    {
        $broker = $this->brokerThatTells();
        symlink($broker->socket, "$broker->folder/link");
        symlink($broker->folder, "$broker->folder/around");
        try {
            foreach (['link', 'around/socket', './socket', '../' . basename($broker->folder) . '/socket'] as $path) {
                $exception = $this->failure(new SocketTransport("$broker->folder/$path", owner: posix_geteuid()));
                self::assertStringContainsString('is over a link, or not absolute', $exception->getMessage(), $path);
                self::assertStringContainsString($broker->socket, $exception->hint, $path);
            }
        } finally {
            unlink("$broker->folder/link");
            unlink("$broker->folder/around");
        }
    }

    public function testASocketInAFolderOfOthersIsNotAsked(): void
    {
        $broker = $this->brokerThatTells();
        $transport = new SocketTransport($broker->socket, owner: posix_geteuid());
        foreach ([0777, 0770, 01777, 0722] as $mode) {
            chmod($broker->folder, $mode);
            $message = $this->failure($transport)->getMessage();
            self::assertStringContainsString("others than the broker may write to $broker->folder", $message, decoct($mode));
        }
        chmod($broker->folder, 0755);
        self::assertSame('asked', $transport->call('list_domains', '{}'));
        if (posix_geteuid() === 0) {
            chown($broker->folder, 33);
            self::assertStringContainsString('others than the broker', $this->failure($transport)->getMessage());
            chown($broker->folder, 0);
        }
    }

    public function testEachFolderOfThePathCounts(): void
    {
        $broker = $this->brokerThatTells();
        $inner = "$broker->folder/inner";
        mkdir($inner, 0755);
        rename($broker->socket, "$inner/socket");
        try {
            $transport = new SocketTransport("$inner/socket", owner: posix_geteuid());
            self::assertSame('asked', $transport->call('list_domains', '{}'));
            chmod($broker->folder, 01777);
            self::assertStringContainsString("may write to $broker->folder,", $this->failure($transport)->getMessage());
        } finally {
            rename("$inner/socket", $broker->socket);
            rmdir($inner);
        }
    }

    public function testWithoutAnOwnerAnySocketIsAsked(): void
    {
        $broker = $this->brokerThatTells();
        chmod($broker->folder, 01777);
        self::assertSame('asked', (new SocketTransport($broker->socket, owner: null))->call('list_domains', '{}'));
    }

    public function testARequestOfTwoLinesOrTooManyBytesIsNotSent(): void
    {
        $transport = new SocketTransport('/nonexistent/socket');
        self::assertStringContainsString('1 MiB', $this->failure($transport, '"' . str_repeat('x', 1 << 20) . '"')->getMessage());
        $this->expectException(\InvalidArgumentException::class);
        $transport->call('list_domains', "{}\n{}");
    }

    /** Its answer tells that it was asked. */
    private function brokerThatTells(): FakeBroker
    {
        return new FakeBroker(static function ($stream): void {
            if (fgets($stream) !== false) {
                fwrite($stream, 'asked');
            }
        });
    }

    private function to(FakeBroker $broker, string $onBehalf = '', float $answerTimeout = 20.0): SocketTransport
    {
        return new SocketTransport($broker->socket, $onBehalf, answerTimeout: $answerTimeout, waitTimeout: 20.0, owner: posix_geteuid());
    }

    private function failure(SocketTransport $transport, string $request = '{}'): TransportException
    {
        try {
            $transport->call('list_domains', $request);
        } catch (TransportException $exception) {
            return $exception;
        }
        self::fail('an answer was taken');
    }
}
