<?php

declare(strict_types=1);

namespace RocketVps\Restore\Exception;

/** The request is wrong, or not allowed now. */
final class RequestException extends RestoreException
{
}
