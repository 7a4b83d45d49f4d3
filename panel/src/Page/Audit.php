<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Refusal;
use RocketVps\Panel\Response;

/** Who asked for what, where the host panel hands it in. */
final class Audit implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        $audit = $panel->settings->audit ?? throw Refusal::notFound();
        return $panel->view->page('audit', $panel->words->say('panel_audit'), [
            'domain' => $domain,
            'tab' => 'audit',
            'lines' => $audit($domain),
        ]);
    }
}
