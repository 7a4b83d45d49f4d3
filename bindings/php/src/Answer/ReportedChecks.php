<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Outcome;

/** How a restore was checked. */
final class ReportedChecks implements Answer
{
    /** The worst outcome of the groups of `live`. */
    public readonly Outcome|string $outcome;

    /**
     * Checks on the staged state, before the change-over; missing where a recovery finished the job.
     *
     * @var list<Group>|null
     */
    public readonly ?array $staged;

    /**
     * Checks on the live site, after the change-over.
     *
     * @var list<Group>
     */
    public readonly array $live;

    public function __construct(Fields $fields)
    {
        $this->outcome = $fields->word('outcome', Outcome::class);
        $this->staged = $fields->has('staged') ? $fields->objects('staged', Group::class) : null;
        $this->live = $fields->objects('live', Group::class);
    }
}
