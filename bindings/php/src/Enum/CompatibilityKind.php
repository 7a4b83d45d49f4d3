<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Kinds of what servers differ in. */
enum CompatibilityKind: string
{
    /** `COLLATE x`. */
    case Collation = 'collation';
    /** `CHARACTER SET x`. */
    case Charset = 'charset';
    /** `0000-00-00` and dates with a zero month or day, in rows and in defaults. */
    case ZeroDates = 'zero_dates';
    /** The account under which a view, routine, trigger or event runs. */
    case Definer = 'definer';
    /** Lines that set the server's GTID state, or switch its binary log off for themselves. */
    case Gtid = 'gtid';
    /** A row or statement longer than the server takes in one packet. */
    case Packet = 'packet';
    /** `ENGINE=x`. */
    case Engine = 'engine';
    /** A word of `sql_mode`. */
    case SqlMode = 'sql_mode';
    /** `WITH PARSER x` of a full-text key. */
    case Parser = 'parser';
    /** `/*!80016 … *\/`: text for servers of another kind or version. */
    case VersionedComment = 'versioned_comment';
    /**
     * A part of a table's definition that only another kind or version of server knows, such as `WITH SYSTEM
     * VERSIONING`.
     */
    case Feature = 'feature';
    /**
     * An option of a table that is left out: `TABLESPACE x`, `AUTOEXTEND_SIZE=x`, and those that the server does not
     * know.
     */
    case TableOption = 'table_option';
    /** `CHECK (…)` of a column that names other columns. */
    case Check = 'check';
}
