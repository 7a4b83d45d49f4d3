<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Disk traffic of a worker over the last second. */
final class Io implements Answer
{
    /** Both together, 10⁶ bytes a second. */
    public readonly float $totalMbPerSecond;

    /** Read, 10⁶ bytes a second. */
    public readonly float $readMbPerSecond;

    /** Written, 10⁶ bytes a second. */
    public readonly float $writeMbPerSecond;

    public function __construct(Fields $fields)
    {
        $this->totalMbPerSecond = $fields->number('total_mb_s');
        $this->readMbPerSecond = $fields->number('read_mb_s');
        $this->writeMbPerSecond = $fields->number('write_mb_s');
    }
}
