<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Refusal;
use RocketVps\Panel\Response;

/** Says who has to approve a request before it is carried out, and lets the user send it again. */
final class Approval implements Page
{
    public function answer(Panel $panel): Response
    {
        $id = $panel->request->query('id');
        $waiting = ((array) $panel->session->get('approvals'))[$id] ?? throw new Refusal(404, 'panel_draft_gone');
        return $panel->view->page('approval', $panel->words->say('panel_approval'), [
            'domain' => $panel->engine->require($waiting['domain']),
            'tab' => 'backups',
            'id' => $id,
            'waiting' => $waiting,
        ]);
    }
}
