<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Restore\Request\JobRequest;

/** Asks a job to stop; the site goes back to its state before. */
final class Cancel implements Page
{
    public function answer(Panel $panel): Response
    {
        $status = $panel->engine->status($panel->request->form('job'));
        $panel->engine->client->restoreCancel(new JobRequest($status->job));
        return Response::to($panel->links->to('job', ['job' => $status->job]));
    }
}
