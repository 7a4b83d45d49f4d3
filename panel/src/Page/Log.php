<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;

/** The text of one log, in pages of whole lines. */
final class Log implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        $log = $panel->engine->log($domain, $panel->request->query('name'), max(0, (int) $panel->request->query('offset')));
        return $panel->view->page('log', $panel->words->heading('title_log'), [
            'domain' => $domain,
            'tab' => 'logs',
            'subtitle' => $log->name,
            'log' => $log,
        ]);
    }
}
