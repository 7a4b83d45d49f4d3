<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tests;

use PHPUnit\Framework\TestCase;
use RocketVps\Restore\Exception\TransportException;
use RocketVps\Restore\ProcessTransport;

/** With shell scripts in the helper's place. */
final class ProcessTransportTest extends TestCase
{
    private string $helper;

    protected function setUp(): void
    {
        $this->helper = (string) tempnam(sys_get_temp_dir(), 'rv-helper-');
        chmod($this->helper, 0700);
    }

    protected function tearDown(): void
    {
        unlink($this->helper);
    }

    public function testTheRequestGoesThroughStandardInput(): void
    {
        $this->does('printf "%s|" "$@"; cat');
        self::assertSame('call|list_backups|-|{"domain":"$(id)"}', $this->transport()->call('list_backups', '{"domain":"$(id)"}'));
    }

    public function testNoPipeFillsUp(): void
    {
        $this->does('head -c 3000000 /dev/zero | tr "\0" e >&2; head -c 3000000 /dev/zero | tr "\0" a; cat');
        $request = '{"text":"' . str_repeat('y', 1_000_000) . '"}';
        $answer = $this->transport()->call('validate', $request);
        self::assertSame(3_000_000 + strlen($request), strlen($answer));
    }

    public function testAHelperThatDoesNotReadItsInputStillAnswers(): void
    {
        $this->does('exec <&-; echo answer; exit 10');
        self::assertSame("answer\n", $this->transport()->call('validate', '{"text":"' . str_repeat('y', 1_000_000) . '"}'));
    }

    public function testWhatItSaysInsteadOfAnAnswerIsTold(): void
    {
        $this->does('echo "the disk is gone" >&2; exit 3');
        self::assertStringContainsString('status 3 and no answer: the disk is gone', $this->failure($this->transport())->getMessage());
    }

    public function testOneThatDoesNotEndIsEnded(): void
    {
        $this->does('trap "" TERM; sleep 30 & echo $! >"$0.child"; wait; wait; sleep 30');
        $begun = microtime(true);
        $exception = $this->failure(new ProcessTransport($this->helper, answerTimeout: 0.5));
        self::assertStringContainsString('within 0.5 s', $exception->getMessage());
        self::assertLessThan(10, microtime(true) - $begun);
        posix_kill((int) file_get_contents("$this->helper.child"), SIGKILL);
        unlink("$this->helper.child");
    }

    public function testAnEndlessAnswerIsRefused(): void
    {
        $this->does('exec yes');
        $exception = $this->failure(new ProcessTransport($this->helper, maxAnswer: 1 << 20));
        self::assertStringContainsString('larger than 1048576 bytes', $exception->getMessage());
    }

    public function testAMissingHelperIsAFailureWithAHint(): void
    {
        $exception = $this->failure(new ProcessTransport('/nonexistent/helper'));
        self::assertStringContainsString('cannot be started', $exception->getMessage());
        self::assertStringContainsString('absolute path', $exception->hint);
    }

    private function does(string $script): void
    {
        file_put_contents($this->helper, "#!/bin/sh\n$script\n");
    }

    private function transport(): ProcessTransport
    {
        return new ProcessTransport($this->helper, answerTimeout: 20.0);
    }

    private function failure(ProcessTransport $transport): TransportException
    {
        try {
            $transport->call('list_domains', '{}');
        } catch (TransportException $exception) {
            return $exception;
        }
        self::fail('an answer was taken');
    }
}
