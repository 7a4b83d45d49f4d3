<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\ErrorCode;

/** Why a call failed: what happened, and what to do about it. */
final class Error implements Answer
{
    /** What failed, by a name that does not change. */
    public readonly ErrorCode|string $code;

    /** The number of the code; also the exit code of the helper. */
    public readonly int $number;

    /** What happened, as a sentence that names the thing. */
    public readonly string $message;

    /** The next step, as a sentence. */
    public readonly string $hint;

    /**
     * Details for programs, by name; which ones depends on the error.
     *
     * @var array<string, mixed>
     */
    public readonly array $context;

    public function __construct(Fields $fields)
    {
        $this->code = $fields->word('code', ErrorCode::class);
        $this->number = $fields->integer('number');
        $this->message = $fields->text('message');
        $this->hint = $fields->text('hint');
        $this->context = $fields->map('context');
    }
}
