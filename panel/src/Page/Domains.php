<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Panel\Text;
use RocketVps\Restore\Answer\JobInfo;
use RocketVps\Restore\Exception\RestoreException;

/** The domains of the user, and what is at work on them. */
final class Domains implements Page
{
    public function answer(Panel $panel): Response
    {
        $jobs = [];
        try {
            $jobs = $panel->engine->jobs();
        } catch (RestoreException $exception) {
            // A rule may not allow it; the domains are shown without.
            if ($exception->name !== 'forbidden') {
                throw $exception;
            }
        }
        $running = array_filter($jobs, static fn (JobInfo $job): bool => !in_array(Text::word($job->state), ['done', 'failed', 'rolled_back', 'needs_operator'], true));
        return $panel->view->page('domains', $panel->words->heading('title_menu'), [
            'domains' => $panel->engine->domains(),
            'running' => $running,
        ]);
    }
}
