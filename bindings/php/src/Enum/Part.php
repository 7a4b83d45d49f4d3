<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** A part of what was compared. */
enum Part: string
{
    /** Files, folders, links. */
    case Files = 'files';
    /** Tables, views, routines, triggers, events. */
    case Tables = 'tables';
    /** Configuration files. */
    case Config = 'config';
    /** Rows of tables; only of a comparison that was asked for `rows`. */
    case Rows = 'rows';
}
