<?php

declare(strict_types=1);

namespace RocketVps\Panel;

/** Values in the order of time as a line; where there is no value, the line has a gap. */
final class Chart
{
    public const WIDTH = 600;
    public const HEIGHT = 96;
    /** Free space around the line, for the dots at its ends. */
    private const EDGE = 6;

    /**
     * @param list<list<array{float, float}>> $lines  points of each piece of the line, from the left
     * @param list<float>                     $gaps   where values are missing, from the left
     * @param list<float>                     $values those that there are
     */
    private function __construct(public readonly array $lines, public readonly array $gaps, public readonly array $values)
    {
    }

    /** @param list<float|int|null> $values */
    public static function of(array $values): self
    {
        $known = array_map(floatval(...), array_values(array_filter($values, static fn (float|int|null $value): bool => $value !== null)));
        // From zero on: half the height is half the time.
        $top = max([...$known, 1e-9]);
        $step = (self::WIDTH - 2 * self::EDGE) / max(1, count($values) - 1);
        $height = self::HEIGHT - 2 * self::EDGE;
        $lines = [];
        $gaps = [];
        $isOpen = false;
        foreach ($values as $number => $value) {
            $x = round(self::EDGE + $number * $step, 1);
            if ($value === null) {
                $gaps[] = $x;
                $isOpen = false;
                continue;
            }
            if (!$isOpen) {
                $lines[] = [];
                $isOpen = true;
            }
            $lines[count($lines) - 1][] = [$x, round(self::EDGE + $height * (1 - $value / $top), 1)];
        }
        return new self($lines, $gaps, $known);
    }
}
