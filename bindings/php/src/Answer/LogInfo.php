<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** One log in a list. */
final class LogInfo implements Answer
{
    /** Absolute path. */
    public readonly string $path;

    /** File name. */
    public readonly string $name;

    /** The domain. */
    public readonly string $domain;

    /** When the job was started, local time without an offset: `2025-10-04T10:15:32`. */
    public readonly string $date;

    /** Bytes. */
    public readonly int $size;

    /** Whether it tells of a failure. */
    public readonly bool $failed;

    public function __construct(Fields $fields)
    {
        $this->path = $fields->text('path');
        $this->name = $fields->text('name');
        $this->domain = $fields->text('domain');
        $this->date = $fields->text('date');
        $this->size = $fields->integer('size');
        $this->failed = $fields->flag('failed');
    }
}
