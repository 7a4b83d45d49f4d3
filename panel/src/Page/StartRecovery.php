<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Restore\Request\AnyDomainRequest;

/** Finishes or undoes what a crash left. */
final class StartRecovery implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->form('domain'));
        return Start::deed($panel, 'recover', new AnyDomainRequest($domain), $domain);
    }
}
