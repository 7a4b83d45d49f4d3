<?php

declare(strict_types=1);

namespace RocketVps;

/** A call that failed: its message says what happened, `hint` what to do next, `name` is the stable code. */
class RestoreException extends \RuntimeException
{
    public function __construct(
        public readonly string $name,
        int $number,
        string $message,
        public readonly string $hint,
        public readonly array $context,
    ) {
        parent::__construct($message, $number);
    }

    /** The exception of an error object of the envelope. */
    public static function of(array $error): self
    {
        $number = (int) $error['number'];
        $class = match (true) {
            $number < 20 => RequestException::class,
            $number < 30 => BackupException::class,
            $number < 40 => DatabaseException::class,
            $number < 50 => StorageException::class,
            $number < 60 => ServiceException::class,
            default => OutcomeException::class,
        };
        return new $class($error['code'], $number, $error['message'], $error['hint'], (array) ($error['context'] ?? []));
    }
}

/** The request is wrong, or not allowed now. */
class RequestException extends RestoreException {}
/** The backup or snapshot cannot be used. */
class BackupException extends RestoreException {}
/** The database server, its accounts or the dump. */
class DatabaseException extends RestoreException {}
/** Disk space, I/O, mounts. */
class StorageException extends RestoreException {}
/** nginx, PHP-FPM, certificates. */
class ServiceException extends RestoreException {}
/** How a job ended. */
class OutcomeException extends RestoreException {}

/**
 * The restore engine through FFI. Each method takes a request as an array and returns the `data` of the answer.
 *
 * Never hand the FFI object to code of tenants: it can call anything.
 */
final class RocketVpsRestore
{
    private const CALLS = [
        'list_backups', 'preview_backup', 'diff_backup', 'validate', 'rehearse', 'create_snapshot', 'list_snapshots', 'delete_snapshot',
        'restore_start', 'restore_poll', 'restore_cancel', 'rollback', 'verify', 'cleanup', 'list_jobs', 'list_logs', 'read_log', 'list_domains',
        'list_drills', 'recover',
    ];
    private readonly \FFI $library;

    /** @param string|null $config restore.toml for every request that names none */
    public function __construct(
        string $library = 'librocketvps_restore.so.1',
        string $header = '/usr/local/include/rocketvps_restore.h',
        private readonly ?string $config = null,
    ) {
        $declarations = @file_get_contents($header);
        if ($declarations === false) {
            throw new \InvalidArgumentException("cannot read the header $header");
        }
        if (!preg_match('/^#define RV_ABI_VERSION (\d+)$/m', $declarations, $version)) {
            throw new \InvalidArgumentException("$header is not the header of this library");
        }
        // The preprocessor's lines, and what is between them for C++, are not for FFI.
        $declarations = preg_replace(['/^#ifdef __cplusplus$.*?^#endif.*?$/ms', '/^\s*#.*$/m'], '', $declarations);
        $this->library = \FFI::cdef($declarations, $library);
        if ($this->library->rv_abi_version() !== (int) $version[1]) {
            throw new \RuntimeException("$library is of another version than $header");
        }
    }

    public function version(): string
    {
        return $this->library->rv_version();
    }

    /** `$restore->listBackups(['domain' => 'example.com'])` calls rv_list_backups. */
    public function __call(string $method, array $arguments): array
    {
        return $this->call(strtolower(preg_replace('/[A-Z]/', '_$0', $method)), $arguments[0] ?? []);
    }

    /** Runs a call by its name without `rv_`. */
    public function call(string $name, array $request = []): array
    {
        if (!in_array($name, self::CALLS, true)) {
            throw new \BadMethodCallException("there is no call $name");
        }
        if ($this->config !== null) {
            $request += ['config' => $this->config];
        }
        $answer = $this->library->{"rv_$name"}(json_encode((object) $request, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES));
        try {
            $document = json_decode(\FFI::string($answer), true, 512, JSON_THROW_ON_ERROR);
        } finally {
            $this->library->rv_string_free($answer);
        }
        if (!$document['ok']) {
            throw RestoreException::of($document['error']);
        }
        return $document['data'];
    }
}
