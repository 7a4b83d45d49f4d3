<?php

declare(strict_types=1);

namespace RocketVps\Restore\Request;

/** An object of a request. Fields that are null are left out of the document. */
interface Request extends \JsonSerializable
{
    public function jsonSerialize(): object;
}
