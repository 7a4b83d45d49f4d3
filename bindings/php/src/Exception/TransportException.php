<?php

declare(strict_types=1);

namespace RocketVps\Restore\Exception;

/** No answer came, or one that is none. Whether the engine carried the call out is not known; jobs that began go on. */
final class TransportException extends RestoreException
{
    /** What `name` is; the engine has no error of this name. */
    public const NAME = 'transport_failed';

    public static function because(string $message, string $hint, ?\Throwable $previous = null): self
    {
        return new self(self::NAME, 0, $message, $hint, [], $previous);
    }
}
