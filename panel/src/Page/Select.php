<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Draft;
use RocketVps\Panel\Engine;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Panel\Text;
use RocketVps\Restore\Answer\JobStatus;
use RocketVps\Restore\Request\TreeAsked;

/** What of a backup is restored. */
final class Select implements Page
{
    public function answer(Panel $panel): Response
    {
        if ($panel->request->query('draft') === '') {
            return self::begin($panel);
        }
        $draft = Draft::of($panel->session, $panel->engine, $panel->request->query('draft'));
        $at = $panel->request->path('at');
        $tree = new TreeAsked($at, 1, $panel->request->number('offset'), Tree::LIMIT);
        $preview = $panel->engine->preview($draft->domain, $draft->backup, $tree);
        if ($preview instanceof JobStatus) {
            return $panel->progress($preview, ['doing' => $panel->words->say('reading_backup')]);
        }
        return $panel->view->page('select', $panel->words->heading('title_components'), [
            'domain' => $draft->domain,
            'tab' => 'backups',
            'subtitle' => Text::moment($draft->date),
            'backup' => Engine::nameOf($draft->backup),
            'preview' => $preview,
            'at' => $at,
            'draft' => $draft,
        ]);
    }

    private static function begin(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        $backup = $panel->engine->backup($domain, $panel->request->query('backup'));
        $preview = $panel->engine->preview($domain, $backup->path);
        if ($preview instanceof JobStatus) {
            return $panel->progress($preview, ['doing' => $panel->words->say('reading_backup')]);
        }
        $draft = Draft::begin($backup, $domain, $preview);
        $draft->save($panel->session);
        return Response::to($panel->links->to('select', ['draft' => $draft->id]));
    }
}
