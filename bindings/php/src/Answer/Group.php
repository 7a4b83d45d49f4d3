<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Outcome;

/** Checks that belong together. */
final class Group implements Answer
{
    /** Its name, such as `file_integrity`; the same in every version. */
    public readonly string $name;

    /** The worst outcome of its checks. */
    public readonly Outcome|string $outcome;

    /**
     * The checks.
     *
     * @var list<Check>
     */
    public readonly array $checks;

    public function __construct(Fields $fields)
    {
        $this->name = $fields->text('name');
        $this->outcome = $fields->word('outcome', Outcome::class);
        $this->checks = $fields->objects('checks', Check::class);
    }
}
