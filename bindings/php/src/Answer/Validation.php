<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Outcome;

/** `validate`, and `restore_start` with `dry_run`: every check before a restore, and what the restore would change. */
class Validation implements Alternative
{
    /** The domain. */
    public readonly string $domain;

    /** Absolute path of the backup. */
    public readonly string $backup;

    /** The worst outcome of the groups. */
    public readonly Outcome|string $outcome;

    /**
     * The checks.
     *
     * @var list<Group>
     */
    public readonly array $groups;

    /** For `restore_start`, which then refuses to start when anything changed since; `null` when a check failed. */
    public readonly ?string $planToken;

    /** What the restore would change; missing when the backup is damaged, `null` when a pattern names nothing in it. */
    public readonly ?Changes $changes;

    public function __construct(Fields $fields)
    {
        $this->domain = $fields->text('domain');
        $this->backup = $fields->text('backup');
        $this->outcome = $fields->word('outcome', Outcome::class);
        $this->groups = $fields->objects('groups', Group::class);
        $this->planToken = $fields->has('plan_token') ? $fields->text('plan_token') : null;
        $this->changes = $fields->has('changes') ? $fields->object('changes', Changes::class) : null;
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('domain', 'backup', 'outcome', 'groups', 'plan_token');
    }
}
