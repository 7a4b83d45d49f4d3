<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** Why a call failed. Names and meanings do not change; new ones may come. */
enum ErrorCode: string
{
    case Usage = 'usage';
    case ApprovalRequired = 'approval_required';
    case BadRequest = 'bad_request';
    case UnknownField = 'unknown_field';
    case UnknownDomain = 'unknown_domain';
    case UnsafePath = 'unsafe_path';
    case PathNotAllowed = 'path_not_allowed';
    case ConfigInvalid = 'config_invalid';
    case Forbidden = 'forbidden';
    case Busy = 'busy';
    case JobNotFound = 'job_not_found';
    case PlanStale = 'plan_stale';
    case BackupNotFound = 'backup_not_found';
    case BackupUnreadable = 'backup_unreadable';
    case BackupCorrupt = 'backup_corrupt';
    case BackupLayoutUnknown = 'backup_layout_unknown';
    case BackupIncomplete = 'backup_incomplete';
    case BackupChainBroken = 'backup_chain_broken';
    case BackupChanged = 'backup_changed';
    case LimitExceeded = 'limit_exceeded';
    case SnapshotNotFound = 'snapshot_not_found';
    case SnapshotInvalid = 'snapshot_invalid';
    case CredentialsMissing = 'credentials_missing';
    case DatabaseUnreachable = 'database_unreachable';
    case InsufficientPrivilege = 'insufficient_privilege';
    case DatabaseFailed = 'database_failed';
    case DumpRefused = 'dump_refused';
    case ExternalForeignKey = 'external_foreign_key';
    case BrokenReference = 'broken_reference';
    case DatabaseLocked = 'database_locked';
    case DatabaseAmbiguous = 'database_ambiguous';
    case DatabaseElsewhere = 'database_elsewhere';
    case DiskFull = 'disk_full';
    case IoFailed = 'io_failed';
    case NotExchangeable = 'not_exchangeable';
    case ServiceDown = 'service_down';
    case ConfigRejected = 'config_rejected';
    case UnsafeConfig = 'unsafe_config';
    case TlsInvalid = 'tls_invalid';
    case ReloadFailed = 'reload_failed';
    case VerificationFailed = 'verification_failed';
    case TimedOut = 'timed_out';
    case Cancelled = 'cancelled';
    case WorkerDied = 'worker_died';
    case NeedsOperator = 'needs_operator';
    case JournalCorrupt = 'journal_corrupt';
    case AbiMismatch = 'abi_mismatch';
    case PreflightFailed = 'preflight_failed';
    case HelperMissing = 'helper_missing';
    case HookRefused = 'hook_refused';
    case Internal = 'internal';
    case Panic = 'panic';
}
