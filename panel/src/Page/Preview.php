<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Panel\Text;
use RocketVps\Restore\Answer\JobStatus;
use RocketVps\Restore\Request\TreeAsked;

/** What is in a backup. */
final class Preview implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        $backup = $panel->engine->backup($domain, $panel->request->query('backup'));
        $at = $panel->request->path('at');
        $tree = new TreeAsked($at, 1, $panel->request->number('offset'), Tree::LIMIT);
        $preview = $panel->engine->preview($domain, $backup->path, $tree);
        if ($preview instanceof JobStatus) {
            return $panel->progress($preview, ['doing' => $panel->words->say('reading_backup')]);
        }
        return $panel->view->page('preview', $panel->words->heading('title_preview') . ' · ' . Text::moment($backup->date), [
            'domain' => $domain,
            'tab' => 'backups',
            'backup' => $backup,
            'preview' => $preview,
            'at' => $at,
            'draft' => null,
        ]);
    }
}
