<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** What a restore can be told to accept; its word is the name of the check that finds it. */
enum Risk: string
{
    /** Queries of the site wait longer in the change-over than `limits.change_over_wait_s`. */
    case ChangeOver = 'change_over';
    /**
     * A server whose renaming of many tables is not all or nothing when it crashes: MariaDB before 10.6.1, MySQL before
     * 8.0.
     */
    case AtomicRename = 'atomic_rename';
}
