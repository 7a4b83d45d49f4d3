<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** What a restore would do. */
enum Change: string
{
    /** It comes: it is only in the backup. */
    case Added = 'added';
    /** It becomes another one. */
    case Changed = 'changed';
    /** It goes: it is only live. */
    case Removed = 'removed';
    /**
     * Nothing: both sides are equal. Only configuration files are listed as such, and tables whose rows could not be
     * compared.
     */
    case Same = 'same';
    /** Nothing: it is only live, and stays. */
    case Kept = 'kept';
}
