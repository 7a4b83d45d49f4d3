<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;

/** What runs and what has run. */
final class Jobs implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        return $panel->view->page('jobs', $panel->words->heading('title_jobs'), [
            'domain' => $domain,
            'tab' => 'jobs',
            'jobs' => $panel->engine->jobs($domain),
        ]);
    }
}
