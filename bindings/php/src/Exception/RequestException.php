<?php

declare(strict_types=1);

namespace RocketVps\Restore\Exception;

/** The request is wrong, or not allowed now. */
final class RequestException extends RestoreException
{
    /** Name of the request where a second person has to approve it first, for Client::approve(); else null. */
    public function approval(): ?string
    {
        $approval = $this->context['approval'] ?? null;
        return $this->name === 'approval_required' && \is_string($approval) ? $approval : null;
    }
}
