<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Draft;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Panel\Text;
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
        $result = $draft->check === '' ? null : $panel->engine->status($draft->check)->result;
        if (!$result instanceof Validation || Text::word($result->outcome) === 'fail') {
            return Response::to($panel->links->to($draft->check === '' ? 'select' : 'check', ['draft' => $draft->id]));
        }
        // Another tab, or the way back, may have made another restore of it since it was shown.
        if (!hash_equals($draft->seal(), $panel->request->form('seal'))) {
            return Response::to($panel->links->to('confirm', ['draft' => $draft->id, 'note' => 'changed']));
        }
        $token = $panel->request->form('strict') === '1' ? $result->planToken : null;
        return Start::deed($panel, 'restore_start', $draft->restoreRequest($token), $draft->domain);
    }
}
