<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Restore\Request\RollbackRequest;

/** Goes back, once the name of the domain was typed. */
final class StartRollback implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->form('domain'));
        $name = $panel->request->form('snapshot');
        $job = $panel->request->form('job');
        if (trim($panel->request->form('typed')) !== $domain) {
            return Response::to($panel->links->to('rollback', ['domain' => $domain, 'snapshot' => $name === '' ? null : $name, 'job' => $job === '' ? null : $job, 'note' => 'typed']));
        }
        $request = $job !== ''
            ? new RollbackRequest($domain, job: $panel->engine->status($job)->job)
            : new RollbackRequest($domain, snapshot: $panel->engine->snapshot($domain, $name)->path);
        return Start::deed($panel, 'rollback', $request, $domain);
    }
}
