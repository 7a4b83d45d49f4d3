<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Engine;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Panel\Text;
use RocketVps\Restore\Answer\JobStatus;

/** How a job stands, for a page that is open: asked for again and again where there is no live stream. */
final class Status implements Page
{
    public function answer(Panel $panel): Response
    {
        $panel->session->close();
        $status = $panel->engine->status($panel->request->query('job'));
        $again = ['again' => $panel->engine->watch->again($status->job)];
        return new Response(self::document($panel, $status, $again), 200, ['Content-Type' => 'application/json']);
    }

    /**
     * The fragment is what the page itself has, and is escaped like it; `said` is for people who listen; `again` is in
     * milliseconds, for who polls.
     *
     * @param array<string, int> $more
     */
    public static function document(Panel $panel, JobStatus $status, array $more = []): string
    {
        return (string) json_encode($more + [
            'ended' => Engine::hasEnded($status),
            'said' => sprintf('%s, %d %%', $panel->words->say('state_' . Text::word($status->state)), 10 * intdiv((int) $status->percent, 10)),
            'fragment' => $panel->view->part('phases', ['status' => $status]),
        ], JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE);
    }
}
