<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Draft;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;

/** Runs every check before the restore, with the findings that the user accepts. */
final class StartCheck implements Page
{
    public function answer(Panel $panel): Response
    {
        $draft = Draft::of($panel->session, $panel->engine, $panel->request->form('draft'));
        $draft->accept = array_slice($panel->request->formList('accept'), 0, 10);
        return $this->begin($panel, $draft);
    }

    public function begin(Panel $panel, Draft $draft): Response
    {
        $draft->check = $panel->engine->client->call('validate', $draft->restoreRequest())['job'] ?? '';
        $draft->save($panel->session);
        return Response::to($panel->links->to('check', ['draft' => $draft->id]));
    }
}
