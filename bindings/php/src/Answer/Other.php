<?php

declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** An object of a type that a later engine brought. */
final class Other implements Answer
{
    /** @var array<string, mixed> its fields by name */
    public readonly array $fields;

    public function __construct(Fields $fields)
    {
        $this->fields = $fields->all();
    }
}
