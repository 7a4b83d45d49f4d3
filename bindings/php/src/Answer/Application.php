<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What the site's own files say about what it is and needs. */
final class Application implements Answer
{
    /** `wordpress`, `laravel`, …; `null` when nothing was recognised. */
    public readonly ?string $name;

    /** Its version, as written. */
    public readonly ?string $version;

    /** The PHP it asks for, as written: `7.2.24`, `^8.1`. */
    public readonly ?string $php;

    public function __construct(Fields $fields)
    {
        $this->name = $fields->has('name') ? $fields->text('name') : null;
        $this->version = $fields->has('version') ? $fields->text('version') : null;
        $this->php = $fields->has('php') ? $fields->text('php') : null;
    }
}
