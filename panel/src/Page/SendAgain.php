<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Refusal;
use RocketVps\Panel\Response;

/** Sends a request again that had to be approved. */
final class SendAgain implements Page
{
    public function answer(Panel $panel): Response
    {
        $waiting = ((array) $panel->session->get('approvals'))[$panel->request->form('id')] ?? throw new Refusal(404, 'panel_draft_gone');
        return Start::send($panel, $waiting['call'], $waiting['request'], $waiting['domain'], $panel->request->form('id'));
    }
}
