<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Where a job stands. */
enum JobState: string
{
    /** Written down, no worker yet. */
    case Queued = 'queued';
    /** Facts are gathered, pre-flight runs. */
    case Planning = 'planning';
    /** The new state is built beside the live one. */
    case Staging = 'staging';
    /** The staged state is compared with the backup. */
    case Verifying = 'verifying';
    /** The change-over. */
    case Committing = 'committing';
    /** The live site is checked. */
    case Checking = 'checking';
    /** Finished well. */
    case Done = 'done';
    /** A cancel was asked for. */
    case Cancelling = 'cancelling';
    /** The old state is being brought back. */
    case RollingBack = 'rolling_back';
    /**
     * Not done: what the job had made, beside the site or on it, has been taken back. The site is as it was before the
     * job.
     */
    case RolledBack = 'rolled_back';
    /**
     * Not done: nothing was made yet, or what was staged is set aside for the same restore. The site is as it was
     * before the job.
     */
    case Failed = 'failed';
    /** Not done, and the site may be between the two sides; the error names the next step. */
    case NeedsOperator = 'needs_operator';
}
