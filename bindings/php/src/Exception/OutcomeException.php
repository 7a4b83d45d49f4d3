<?php

declare(strict_types=1);

namespace RocketVps\Restore\Exception;

/** The job ended otherwise than asked. */
final class OutcomeException extends RestoreException
{
}
