<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** What a job does. */
enum JobKind: string
{
    /** `rv_restore_start`. */
    case Restore = 'restore';
    /** `rv_rollback`. */
    case Rollback = 'rollback';
    /** `rv_preview_backup`. */
    case Preview = 'preview';
    /** `rv_diff_backup`. */
    case Diff = 'diff';
    /** `rv_validate`. */
    case Validate = 'validate';
    /** `rv_rehearse`. */
    case Rehearse = 'rehearse';
    /** `rv_create_snapshot`. */
    case Snapshot = 'snapshot';
    /** `rv_delete_snapshot`. */
    case DeleteSnapshot = 'delete_snapshot';
    /** `rv_verify`. */
    case Verify = 'verify';
    /** `rv_cleanup`. */
    case Cleanup = 'cleanup';
    /** `rv_recover`. */
    case Recover = 'recover';
}
