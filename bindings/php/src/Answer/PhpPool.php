<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** A pool of PHP-FPM. */
final class PhpPool implements Answer
{
    /** Its name. */
    public readonly string $pool;

    /** The account it runs as. */
    public readonly string $user;

    /** The group it runs as; may be empty. */
    public readonly string $group;

    /** Where it listens: a path, an address or a port. */
    public readonly string $listen;

    public function __construct(Fields $fields)
    {
        $this->pool = $fields->text('pool');
        $this->user = $fields->text('user');
        $this->group = $fields->text('group');
        $this->listen = $fields->text('listen');
    }
}
