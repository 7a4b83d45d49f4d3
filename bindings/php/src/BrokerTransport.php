<?php

declare(strict_types=1);

namespace RocketVps\Restore;

/** A way that always ends at the broker, which has calls of its own: Client::audit(), listApprovals() and approve(). */
interface BrokerTransport extends Transport
{
}
