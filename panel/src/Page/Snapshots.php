<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;

/** The snapshots of a domain, each with the time until when it is kept. */
final class Snapshots implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        return $panel->view->page('snapshots', $panel->words->heading('title_snapshots'), [
            'domain' => $domain,
            'tab' => 'snapshots',
            'snapshots' => $panel->engine->snapshots($domain),
        ]);
    }
}
