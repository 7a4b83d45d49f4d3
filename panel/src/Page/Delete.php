<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;

/** The last page before a snapshot goes. */
final class Delete implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        $name = $panel->request->query('snapshot');
        return $panel->view->page('delete', $panel->words->heading('title_delete'), [
            'domain' => $domain,
            'tab' => 'snapshots',
            'snapshot' => $panel->engine->snapshot($domain, $name),
            'name' => $name,
        ]);
    }
}
