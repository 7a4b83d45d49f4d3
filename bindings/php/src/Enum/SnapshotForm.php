<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** The form of a snapshot. */
enum SnapshotForm: string
{
    /** Archives with a manifest of this program. */
    case Portable = 'portable';
    /** A kept tree and a kept schema, left by a restore. */
    case Retained = 'retained';
    /** Archives without a manifest, of another program. */
    case Old = 'old';
}
