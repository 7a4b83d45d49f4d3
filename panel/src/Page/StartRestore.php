<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Draft;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Restore\Answer\Validation;

/** Starts the restore, once the name of the domain was typed. */
final class StartRestore implements Page
{
    public function answer(Panel $panel): Response
    {
        $draft = Draft::of($panel->session, $panel->engine, $panel->request->form('draft'));
        if (trim($panel->request->form('typed')) !== $draft->domain) {
            return Response::to($panel->links->to('confirm', ['draft' => $draft->id, 'note' => 'typed']));
        }
        $token = null;
        if ($panel->request->form('strict') === '1') {
            $result = $panel->engine->status($draft->check)->result;
            $token = $result instanceof Validation ? $result->planToken : null;
        }
        return Start::deed($panel, 'restore_start', $draft->restoreRequest($token), $draft->domain);
    }
}
