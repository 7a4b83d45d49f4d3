<?php

declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** An object of an answer. Fields that this version does not know are ignored; those that are absent are null. */
interface Answer
{
    /** @throws \UnexpectedValueException where a field that each such object has is missing, or is of another type */
    public function __construct(Fields $fields);
}
