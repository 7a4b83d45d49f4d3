<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** A moment of a job at which programs of the operator's are run. */
enum Moment: string
{
    /** The pre-flight has passed, and nothing is made yet. */
    case PreFlight = 'pre-flight';
    /** The new state stands beside the live one, and is not verified yet. */
    case Staged = 'staged';
    /** The staged state is verified, and the change-over comes next. */
    case BeforeCommit = 'before-commit';
    /** The change-over is done, and the live site is being verified. */
    case Committed = 'committed';
    /** The job has ended, and the old state is there. */
    case RolledBack = 'rolled-back';
    /** The job has ended and done its work. */
    case Done = 'done';
    /** The job has ended without having done its work, and is not rolled back. */
    case Failed = 'failed';
}
