<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;

/** The backups of a domain. */
final class Backups implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        return $panel->view->page('backups', $panel->words->heading('title_restore'), [
            'domain' => $domain,
            'tab' => 'backups',
            'backups' => $panel->engine->backups($domain),
        ]);
    }
}
