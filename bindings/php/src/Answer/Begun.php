<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** A job was started. */
final class Begun implements Alternative
{
    /** Its name, for `restore_poll`. */
    public readonly string $job;

    public function __construct(Fields $fields)
    {
        $this->job = $fields->text('job');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('job');
    }
}
