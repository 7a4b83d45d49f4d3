<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Draft;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;

/** Compares what is selected of a backup with the live site. */
final class StartComparison implements Page
{
    public function answer(Panel $panel): Response
    {
        return $this->begin($panel, Draft::of($panel->session, $panel->engine, $panel->request->form('draft')));
    }

    public function begin(Panel $panel, Draft $draft): Response
    {
        $draft->comparison = $panel->engine->client->call('diff_backup', $draft->diffRequest())['job'] ?? '';
        $draft->save($panel->session);
        return Response::to($panel->links->to('changes', ['draft' => $draft->id]));
    }
}
