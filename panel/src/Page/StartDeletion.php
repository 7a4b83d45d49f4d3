<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Restore\Request\DeleteSnapshotRequest;

/** Deletes a snapshot, once the name of the domain was typed. */
final class StartDeletion implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->form('domain'));
        $name = $panel->request->form('snapshot');
        if (trim($panel->request->form('typed')) !== $domain) {
            return Response::to($panel->links->to('delete', ['domain' => $domain, 'snapshot' => $name, 'note' => 'typed']));
        }
        $request = new DeleteSnapshotRequest($domain, $panel->engine->snapshot($domain, $name)->path);
        return Start::deed($panel, 'delete_snapshot', $request, $domain);
    }
}
