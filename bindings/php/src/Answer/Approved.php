<?php

declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Who approved a request. */
final class Approved implements Answer
{
    /** The user's name. */
    public readonly string $by;

    /** When. Local time, RFC 3339. */
    public readonly string $at;

    public function __construct(Fields $fields)
    {
        $this->by = $fields->text('by');
        $this->at = $fields->text('at');
    }
}
