<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Draft;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Panel\Text;
use RocketVps\Restore\Answer\Preview;
use RocketVps\Restore\Answer\Validation;

/** The last page before a restore. */
final class Confirm implements Page
{
    public function answer(Panel $panel): Response
    {
        $draft = Draft::of($panel->session, $panel->engine, $panel->request->query('draft'));
        $result = $draft->check === '' ? null : $panel->engine->status($draft->check)->result;
        if (!$result instanceof Validation || Text::word($result->outcome) === 'fail') {
            return Response::to($panel->links->to($draft->check === '' ? 'select' : 'check', ['draft' => $draft->id]));
        }
        $preview = $panel->engine->preview($draft->domain, $draft->backup);
        return $panel->view->page('confirm', $panel->words->heading('title_confirm'), [
            'domain' => $draft->domain,
            'tab' => 'backups',
            'subtitle' => Text::moment($draft->date),
            'draft' => $draft,
            'validation' => $result,
            'estimate' => $preview instanceof Preview ? $preview->estimate : null,
        ]);
    }
}
