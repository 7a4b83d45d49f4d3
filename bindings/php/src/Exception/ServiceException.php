<?php

declare(strict_types=1);

namespace RocketVps\Restore\Exception;

/** nginx, PHP-FPM or a certificate is the cause. */
final class ServiceException extends RestoreException
{
}
