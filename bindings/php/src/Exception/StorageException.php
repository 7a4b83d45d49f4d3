<?php

declare(strict_types=1);

namespace RocketVps\Restore\Exception;

/** The disk is full, an I/O error happened, or a mount stands in the way. */
final class StorageException extends RestoreException
{
}
