<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Chart;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Restore\Answer\Drill;

/** The drills of a domain: did its backups work, how long would a restore have taken, how old were they. */
final class Drills implements Page
{
    /** Drills in a chart and in the table below it. */
    private const SHOWN = 60;

    public function answer(Panel $panel): Response
    {
        $domain = $panel->engine->require($panel->request->query('domain'));
        $drills = array_slice($panel->engine->drills($domain), 0, self::SHOWN);
        $inTime = array_reverse($drills);
        return $panel->view->page('drills', $panel->words->heading('panel_drills'), [
            'domain' => $domain,
            'tab' => 'drills',
            'drills' => $drills,
            'charts' => [
                'panel_drill_recovery' => Chart::of(array_map(static fn (Drill $drill): ?float => $drill->recoverySeconds, $inTime)),
                'panel_drill_age' => Chart::of(array_map(static fn (Drill $drill): ?float => $drill->backupAgeSeconds, $inTime)),
            ],
        ]);
    }
}
