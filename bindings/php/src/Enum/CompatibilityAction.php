<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** What is done. */
enum CompatibilityAction: string
{
    /** Something the server knows takes its place. */
    case Map = 'map';
    /** It is left out. */
    case Strip = 'strip';
    /** It goes in parts. */
    case Split = 'split';
    /** As this server does with what is not for it. */
    case Skip = 'skip';
    /** It is loaded under a mode that takes it. */
    case Keep = 'keep';
    /** The dump is refused. */
    case Refuse = 'refuse';
}
