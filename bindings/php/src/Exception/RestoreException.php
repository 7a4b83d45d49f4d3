<?php

declare(strict_types=1);

namespace RocketVps\Restore\Exception;

use RocketVps\Restore\Answer\Error;
use RocketVps\Restore\Enum\ErrorCode;

/** A call or a job that failed: the message says what happened, `hint` what to do next. */
class RestoreException extends \RuntimeException
{
    /**
     * @param string               $name    stable name of the error, such as `backup_corrupt`
     * @param int                  $number  stable number of the error; also what getCode() gives
     * @param array<string, mixed> $context details for programs, by name
     */
    final public function __construct(
        public readonly string $name,
        public readonly int $number,
        string $message,
        public readonly string $hint = '',
        public readonly array $context = [],
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, $number, $previous);
    }

    /** The exception for the error of an answer, or of a job that ended with one. */
    public static function of(Error $error): self
    {
        $class = match (true) {
            $error->number < 20 => RequestException::class,
            $error->number < 30 => BackupException::class,
            $error->number < 40 => DatabaseException::class,
            $error->number < 50 => StorageException::class,
            $error->number < 60 => ServiceException::class,
            default => OutcomeException::class,
        };
        $name = $error->code instanceof ErrorCode ? $error->code->value : $error->code;
        return new $class($name, $error->number, $error->message, $error->hint, $error->context);
    }

    public function is(ErrorCode $code): bool
    {
        return $this->name === $code->value;
    }
}
