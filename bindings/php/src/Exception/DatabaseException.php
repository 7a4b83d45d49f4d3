<?php

declare(strict_types=1);

namespace RocketVps\Restore\Exception;

/** The database server, its accounts or the dump refused something. */
final class DatabaseException extends RestoreException
{
}
