<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\ErrorCode;

/** The figures behind a check, by name; which ones depends on the check. */
final class Figures implements Answer
{
    /** The error that a job would end with for it; missing where it is none. */
    public readonly ErrorCode|string|null $code;

    /** The next step, as a sentence; missing where the code says it. */
    public readonly ?string $hint;

    /**
     * All of them by name, those above included.
     *
     * @var array<string, mixed>
     */
    public readonly array $all;

    public function __construct(Fields $fields)
    {
        $this->code = $fields->has('code') ? $fields->word('code', ErrorCode::class) : null;
        $this->hint = $fields->has('hint') ? $fields->text('hint') : null;
        $this->all = $fields->all();
    }
}
