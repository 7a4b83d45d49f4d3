<?php

declare(strict_types=1);

namespace RocketVps\Restore;

/**
 * A moment until which something may take.
 *
 * @internal
 */
final class Deadline
{
    private readonly float $end;

    public function __construct(public readonly float $seconds)
    {
        $this->end = self::now() + $seconds;
    }

    public function hasPassed(): bool
    {
        return self::now() >= $this->end;
    }

    /** @return array{int, int} seconds and microseconds that are left, for stream_select() */
    public function left(): array
    {
        $left = max(0.0, $this->end - self::now());
        return [(int) $left, (int) (fmod($left, 1.0) * 1e6)];
    }

    /** Does not jump when the clock is set. */
    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}
