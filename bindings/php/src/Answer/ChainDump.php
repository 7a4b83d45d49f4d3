<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The dump that was chosen, and why. */
final class ChainDump implements Answer
{
    /** Absolute path of the dump's file; `null` for a dump inside the archive. */
    public readonly ?string $path;

    /** Its path inside the archive, or the name of its file. */
    public readonly string $name;

    /** When it was made, local time without an offset; only with a file of its own. */
    public readonly ?string $date;

    /** Bytes of its file; only with a file of its own. */
    public readonly ?int $size;

    /** Why this one, as a sentence. */
    public readonly string $why;

    public function __construct(Fields $fields)
    {
        $this->path = $fields->has('path') ? $fields->text('path') : null;
        $this->name = $fields->text('name');
        $this->date = $fields->has('date') ? $fields->text('date') : null;
        $this->size = $fields->has('size') ? $fields->integer('size') : null;
        $this->why = $fields->text('why');
    }
}
