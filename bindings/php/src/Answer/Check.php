<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Outcome;

/** One check: what was compared with what, and how it came out. */
final class Check implements Answer
{
    /** Its name, such as `row_counts`; the same in every version. */
    public readonly string $name;

    /** How it came out. */
    public readonly Outcome|string $outcome;

    /** The sentence a user reads. */
    public readonly string $message;

    /** The figures behind the sentence; missing where there are none. */
    public readonly ?Figures $figures;

    public function __construct(Fields $fields)
    {
        $this->name = $fields->text('name');
        $this->outcome = $fields->word('outcome', Outcome::class);
        $this->message = $fields->text('message');
        $this->figures = $fields->has('figures') ? $fields->object('figures', Figures::class) : null;
    }
}
