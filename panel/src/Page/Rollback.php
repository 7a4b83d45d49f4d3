<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Engine;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;

/** The last page before the state of a snapshot, or that before a job, comes back. */
final class Rollback implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        $name = $panel->request->query('snapshot');
        $job = $panel->request->query('job');
        $snapshot = null;
        if ($name !== '') {
            $snapshot = $panel->engine->snapshot($domain, $name);
        } else {
            $domain = $panel->engine->status($job)->domain ?? $domain;
            foreach ($panel->engine->snapshots($domain) as $one) {
                $snapshot = $one->job === $job ? $one : $snapshot;
            }
        }
        return $panel->view->page('rollback', $panel->words->heading('title_rollback'), [
            'domain' => $domain,
            'tab' => 'snapshots',
            'snapshot' => $snapshot,
            'name' => $snapshot === null ? '' : Engine::nameOf($snapshot->path),
            'job' => $job,
        ]);
    }
}
