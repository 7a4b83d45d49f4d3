<?php

declare(strict_types=1);

namespace RocketVps\Restore;

use RocketVps\Restore\Exception\TransportException;

/** The way of a call to the engine and of its answer back. */
interface Transport
{
    /**
     * @param string $call    name of the call, such as `list_backups`
     * @param string $request a JSON object in one line
     * @param bool   $waits   whether the answer comes when a job has ended, which can take hours
     *
     * @return string the JSON document that the engine answers with
     *
     * @throws TransportException where no whole answer came
     */
    public function call(string $call, string $request, bool $waits = false): string;
}
