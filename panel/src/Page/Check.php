<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Draft;
use RocketVps\Panel\Engine;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Refusal;
use RocketVps\Panel\Response;
use RocketVps\Panel\Text;
use RocketVps\Restore\Answer\Validation;
use RocketVps\Restore\Exception\RestoreException;

/** What the checks before a restore found. */
final class Check implements Page
{
    public function answer(Panel $panel): Response
    {
        $draft = Draft::of($panel->session, $panel->engine, $panel->request->query('draft'));
        if ($draft->check === '') {
            return Response::to($panel->links->to('select', ['draft' => $draft->id]));
        }
        $status = $panel->engine->settled($draft->check);
        if (!Engine::hasEnded($status)) {
            return $panel->progress($status, ['doing' => $panel->words->say('validating')]);
        }
        if (!$status->result instanceof Validation) {
            throw $status->error === null ? new Refusal(404, 'panel_not_found') : RestoreException::of($status->error);
        }
        return $panel->view->page('check', $panel->words->heading('title_validation'), [
            'domain' => $draft->domain,
            'tab' => 'backups',
            'subtitle' => Text::moment($draft->date),
            'validation' => $status->result,
            'job' => $status->job,
            'draft' => $draft,
        ]);
    }
}
