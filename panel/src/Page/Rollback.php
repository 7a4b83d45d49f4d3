<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Engine;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Refusal;
use RocketVps\Panel\Response;

/** The last page before the state of a snapshot, or that before a job, comes back. */
final class Rollback implements Page
{
    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        $name = $panel->request->query('snapshot');
        $job = $panel->request->query('job');
        $snapshot = $stamp = null;
        if ($name !== '') {
            $snapshot = $panel->engine->snapshot($domain, $name);
        } else {
            $status = $panel->engine->status($job);
            $domain = $status->domain ?? $domain;
            $stamp = $status->started;
            foreach ($panel->engine->snapshots($domain) as $one) {
                $snapshot = $one->job === $job ? $one : $snapshot;
            }
        }
        if ($snapshot === null) {
            throw new Refusal(404, 'panel_nothing_kept');
        }
        return $panel->view->page('rollback', $panel->words->heading('title_rollback'), [
            'domain' => $domain,
            'tab' => 'snapshots',
            'snapshot' => $snapshot,
            'name' => Engine::nameOf($snapshot->path),
            'job' => $job,
            'stamp' => $stamp,
        ]);
    }
}
