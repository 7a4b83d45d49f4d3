<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Engine;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Refusal;
use RocketVps\Panel\Response;
use RocketVps\Restore\Exception\RestoreException;

/**
 * How a job stands, as a stream of events. A stream holds a worker of PHP-FPM, so there are few, each ends after a while, and
 * the browser asks again; 204 tells it to poll instead.
 */
final class Events implements Page
{
    private const PAUSE_MICROSECONDS = 500_000;

    public function answer(Panel $panel): Response
    {
        $panel->session->close();
        $status = $panel->engine->status($panel->request->query('job'));
        // PHP's own server answers one request at a time, and would answer nothing else meanwhile.
        $isAlone = PHP_SAPI === 'cli-server' && (int) getenv('PHP_CLI_SERVER_WORKERS') < 2;
        $place = $isAlone ? null : $panel->engine->watch->place($panel->settings->streams);
        if ($place === null) {
            return new Response('', 204);
        }
        $seen = $panel->request->server('HTTP_LAST_EVENT_ID');
        return new Response('', 200, [
            'Content-Type' => 'text/event-stream',
            'X-Accel-Buffering' => 'no',
        ], static function () use ($panel, $status, $place, $seen): void {
            while (ob_get_level() > 0) {
                ob_end_flush();
            }
            set_time_limit($panel->settings->streamSeconds + 30);
            $until = microtime(true) + $panel->settings->streamSeconds;
            echo "retry: 500\n\n";
            while (true) {
                $document = Status::document($panel, $status);
                $id = substr(hash('sha256', $document), 0, 12);
                // What the browser has seen already is not sent again; a comment finds out whether it is still there.
                echo $id === $seen ? ": same\n\n" : "id: $id\ndata: $document\n\n";
                $seen = $id;
                flush();
                if (Engine::hasEnded($status) || microtime(true) > $until || connection_aborted() === 1) {
                    break;
                }
                usleep(self::PAUSE_MICROSECONDS);
                try {
                    $status = $panel->engine->status($status->job);
                } catch (RestoreException|Refusal) {
                    // The browser asks again, and gets the error as one.
                    break;
                }
            }
            if (is_resource($place)) {
                fclose($place);
            }
        });
    }
}
