<?php

declare(strict_types=1);

namespace RocketVps\Restore\Exception;

/** The backup or snapshot cannot be used. */
final class BackupException extends RestoreException
{
}
