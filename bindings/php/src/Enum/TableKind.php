<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** What an entry of the database is. */
enum TableKind: string
{
    /** A table. */
    case Table = 'table';
    /** A stored function. */
    case Function = 'function';
    /** A stored procedure. */
    case Procedure = 'procedure';
    /** A view. */
    case View = 'view';
    /** A trigger. */
    case Trigger = 'trigger';
    /** An event. */
    case Event = 'event';
}
