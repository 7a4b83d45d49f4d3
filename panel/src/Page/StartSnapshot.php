<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Restore\Request\DomainRequest;

/** Makes a portable snapshot. */
final class StartSnapshot implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->form('domain'));
        return Start::deed($panel, 'create_snapshot', new DomainRequest($domain), $domain);
    }
}
