<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Two definitions that are not shown. */
enum DefinitionWord: string
{
    /** They are equal. */
    case Same = 'same';
    /** One of them is not known. */
    case NotCompared = 'not_compared';
}
