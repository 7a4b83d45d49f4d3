<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Numbers of views, routines, triggers and events. */
final class ObjectCounts implements Answer
{
    /** Number of those that are only in the backup, and would come. */
    public readonly int $added;

    /** Number of those that are only live, and would go. */
    public readonly int $removed;

    /** Number of those that are only live, and would stay. */
    public readonly int $kept;

    /** Number of those that both sides have. */
    public readonly int $both;

    /** How they were compared: `name`. */
    public readonly string $comparedBy;

    public function __construct(Fields $fields)
    {
        $this->added = $fields->integer('added');
        $this->removed = $fields->integer('removed');
        $this->kept = $fields->integer('kept');
        $this->both = $fields->integer('both');
        $this->comparedBy = $fields->text('compared_by');
    }
}
