<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Restore\Request\RestoreRequest;

/** Rehearses a restore of the newest backup. */
final class StartRehearsal implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->form('domain'));
        return Start::deed($panel, 'rehearse', new RestoreRequest($domain), $domain);
    }
}
