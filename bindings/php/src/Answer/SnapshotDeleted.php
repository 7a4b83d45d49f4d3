<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** `delete_snapshot`: the snapshot that was deleted. */
class SnapshotDeleted implements Alternative
{
    /** The domain. */
    public readonly string $domain;

    /** Absolute path of the folder that was deleted, with the tree and the schema it kept. */
    public readonly string $deleted;

    public function __construct(Fields $fields)
    {
        $this->domain = $fields->text('domain');
        $this->deleted = $fields->text('deleted');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('domain', 'deleted');
    }
}
