<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** `read_log`: whole lines of a log, 64 KiB of them at most. */
final class LogText implements Answer
{
    /** The domain. */
    public readonly string $domain;

    /** The log's name. */
    public readonly string $name;

    /** The log's size, in bytes. */
    public readonly int $size;

    /** The lines from `offset` on. What is no UTF-8 is U+FFFD. */
    public readonly string $text;

    /** The `offset` of what follows, in bytes; null at the end of the log. */
    public readonly ?int $next;

    public function __construct(Fields $fields)
    {
        $this->domain = $fields->text('domain');
        $this->name = $fields->text('name');
        $this->size = $fields->integer('size');
        $this->text = $fields->text('text');
        $this->next = $fields->has('next') ? $fields->integer('next') : null;
    }
}
