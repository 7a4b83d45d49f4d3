<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** A value as far as it is shown. Without `text`, `hex` and `hidden` it is NULL. */
final class ValueShown implements Answer
{
    /** Text; at most its first 160 characters. */
    public readonly ?string $text;

    /** Bytes that are no text, hex; at most the first 32. */
    public readonly ?string $hex;

    /** Bytes of the whole value; only where a part of it is shown. */
    public readonly ?int $length;

    /** It looks like a secret, and nothing of it is shown; only there. */
    public readonly ?bool $hidden;

    public function __construct(Fields $fields)
    {
        $this->text = $fields->has('text') ? $fields->text('text') : null;
        $this->hex = $fields->has('hex') ? $fields->text('hex') : null;
        $this->length = $fields->has('length') ? $fields->integer('length') : null;
        $this->hidden = $fields->has('hidden') ? $fields->flag('hidden') : null;
    }
}
