<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The lines by which two definitions differ. */
final class DefinitionDiff implements Answer
{
    /**
     * The first lines: `-` before what is live, `+` before what the backup has.
     *
     * @var list<string>
     */
    public readonly array $diff;

    /** Number of lines that are not shown. */
    public readonly int $moreLines;

    public function __construct(Fields $fields)
    {
        $this->diff = $fields->texts('diff');
        $this->moreLines = $fields->integer('more_lines');
    }
}
