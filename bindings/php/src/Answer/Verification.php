<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Outcome;

/** `verify`: the four groups of checks on the live site. */
class Verification implements Alternative
{
    /** The domain. */
    public readonly string $domain;

    /** The worst outcome of the groups. */
    public readonly Outcome|string $outcome;

    /**
     * The checks.
     *
     * @var list<Group>
     */
    public readonly array $groups;

    public function __construct(Fields $fields)
    {
        $this->domain = $fields->text('domain');
        $this->outcome = $fields->word('outcome', Outcome::class);
        $this->groups = $fields->objects('groups', Group::class);
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('domain', 'outcome', 'groups');
    }
}
