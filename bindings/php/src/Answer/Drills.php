<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Drills, newest first. */
final class Drills implements Answer
{
    /**
     * Of a domain, or the newest of each.
     *
     * @var list<Drill>
     */
    public readonly array $drills;

    public function __construct(Fields $fields)
    {
        $this->drills = $fields->objects('drills', Drill::class);
    }
}
