<?php

declare(strict_types=1);

namespace RocketVps\Restore;

use RocketVps\Restore\Exception\TransportException;

/**
 * Asks the broker on its Unix socket, where `rocketvps-restore serve` answers callers without rights. Needs neither FFI
 * nor the right to start programs.
 */
final class SocketTransport implements BrokerTransport
{
    public const SOCKET = '/run/rocketvps-restore.sock';

    private const MAX_REQUEST = 1 << 20;
    private const PIECE = 1 << 16;
    private const LOG = 'See the log of the broker: journalctl -u rocketvps-restore.';

    /**
     * @param string   $onBehalf       who asked for it, for the audit log: the broker writes it down and does not check it
     * @param float    $connectTimeout seconds until the broker has to take the connection
     * @param float    $answerTimeout  seconds until the whole answer has to be there
     * @param float    $waitTimeout    the same of a call that waits for its job
     * @param int      $maxAnswer      bytes of the longest answer that is taken
     * @param int|null $owner          user id of the broker: no socket is asked that others than it and root could have put
     *                                 there; null: anybody's is
     */
    public function __construct(
        private readonly string $socket = self::SOCKET,
        private readonly string $onBehalf = '',
        private readonly float $connectTimeout = 5.0,
        private readonly float $answerTimeout = 60.0,
        private readonly float $waitTimeout = 6 * 3600.0,
        private readonly int $maxAnswer = 64 << 20,
        private readonly ?int $owner = 0,
    ) {
    }

    public function call(string $call, string $request, bool $waits = false): string
    {
        if (strlen($request) > self::MAX_REQUEST) {
            throw TransportException::because('the request is larger than 1 MiB', 'Name fewer parts in it.');
        }
        $document = $this->document($call, $request);
        $stream = $this->connect();
        try {
            stream_set_blocking($stream, false);
            $deadline = new Deadline($waits ? $this->waitTimeout : $this->answerTimeout);
            $this->send($stream, $document, $deadline);
            return $this->receive($stream, $deadline);
        } finally {
            fclose($stream);
        }
    }

    /** The request goes in as it is: PHP would turn an empty object into a list. */
    private function document(string $call, string $request): string
    {
        if (strpbrk($request, "\r\n") !== false) {
            throw new \InvalidArgumentException('the request has to be one line');
        }
        $flags = JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE;
        return '{"call":' . json_encode($call, $flags) . ',"request":' . $request . ',"on_behalf":' . json_encode($this->onBehalf, $flags) . "}\n";
    }

    /** @return resource */
    private function connect()
    {
        $stream = @stream_socket_client("unix://$this->socket", $number, $message, $this->connectTimeout);
        if ($stream === false) {
            throw TransportException::because(
                "the broker at $this->socket takes no connection: $message",
                'Ask the administrator to start it: rocketvps-restore serve.',
            );
        }
        // Anybody else who listens there would learn what is asked, and could answer anything. Nothing has been sent yet.
        if ($this->owner !== null) {
            try {
                SocketPlace::check($this->socket, $this->owner);
            } catch (TransportException $exception) {
                fclose($stream);
                throw $exception;
            }
        }
        return $stream;
    }

    /** @param resource $stream */
    private function send($stream, string $document, Deadline $deadline): void
    {
        while ($document !== '') {
            $this->await([], [$stream], $deadline);
            $count = @fwrite($stream, $document);
            if ($count === false) {
                // A broker that has too many callers answers and hangs up before it has read all.
                return;
            }
            $document = substr($document, $count);
        }
    }

    /** @param resource $stream */
    private function receive($stream, Deadline $deadline): string
    {
        $answer = '';
        while (!feof($stream)) {
            $this->await([$stream], [], $deadline);
            $piece = @fread($stream, self::PIECE);
            if ($piece === false) {
                break;
            }
            $answer .= $piece;
            if (strlen($answer) > $this->maxAnswer) {
                throw TransportException::because("the answer is larger than $this->maxAnswer bytes", 'Ask for less at once, by `limit`.');
            }
        }
        if ($answer === '') {
            throw TransportException::because("the broker at $this->socket hung up without an answer", self::LOG);
        }
        return $answer;
    }

    /**
     * @param list<resource> $read
     * @param list<resource> $write
     */
    private function await(array $read, array $write, Deadline $deadline): void
    {
        do {
            [$readable, $writable, $except] = [$read, $write, null];
            [$seconds, $microseconds] = $deadline->left();
            // A signal ends it early with false.
            if (@stream_select($readable, $writable, $except, $seconds, $microseconds) > 0) {
                return;
            }
        } while (!$deadline->hasPassed());
        throw TransportException::because(
            "no whole answer came from $this->socket within $deadline->seconds s",
            'What was begun goes on: list_jobs tells. ' . self::LOG,
        );
    }
}
