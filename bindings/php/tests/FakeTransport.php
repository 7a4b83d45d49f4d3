<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tests;

use RocketVps\Restore\BrokerTransport;

/** Answers with prepared documents, and remembers what was asked. */
final class FakeTransport implements BrokerTransport
{
    /** @var list<array{call: string, request: string, waits: bool}> */
    public array $asked = [];

    /** @var list<string> */
    private array $answers;

    public function __construct(string ...$answers)
    {
        $this->answers = array_values($answers);
    }

    /** @param array<string, mixed> $data */
    public static function ok(array $data): string
    {
        return json_encode(['schema' => 1, 'ok' => true, 'data' => (object) $data], JSON_THROW_ON_ERROR);
    }

    public static function error(string $code, int $number): string
    {
        $error = ['code' => $code, 'number' => $number, 'message' => 'What happened.', 'hint' => 'Do this.', 'context' => ['job' => 'j']];
        return json_encode(['schema' => 1, 'ok' => false, 'error' => $error], JSON_THROW_ON_ERROR);
    }

    public function call(string $call, string $request, bool $waits = false): string
    {
        $this->asked[] = ['call' => $call, 'request' => $request, 'waits' => $waits];
        return array_shift($this->answers) ?? throw new \LogicException("nothing is prepared for $call");
    }
}
