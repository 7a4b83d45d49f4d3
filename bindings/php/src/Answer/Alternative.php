<?php

declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** An object that comes in a place where others may come, too. */
interface Alternative extends Answer
{
    /** Whether these are the fields of such an object. */
    public static function isIn(Fields $fields): bool;
}
