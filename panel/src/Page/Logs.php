<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;

/** The logs of a domain. */
final class Logs implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        return $panel->view->page('logs', $panel->words->heading('title_logs'), [
            'domain' => $domain,
            'tab' => 'logs',
            'logs' => $panel->engine->logs($domain),
        ]);
    }
}
