<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Room on one filesystem. */
final class Filesystem implements Answer
{
    /** A place on it. */
    public readonly string $path;

    /**
     * What a restore writes there: `staged files`, `tables`, `jobs and logs`.
     *
     * @var list<string>
     */
    public readonly array $what;

    /** Bytes needed, with what is to stay free. */
    public readonly int $needed;

    /** Bytes free. */
    public readonly int $free;

    /** Whether that is enough. */
    public readonly bool $enough;

    public function __construct(Fields $fields)
    {
        $this->path = $fields->text('path');
        $this->what = $fields->texts('what');
        $this->needed = $fields->integer('needed');
        $this->free = $fields->integer('free');
        $this->enough = $fields->flag('enough');
    }
}
