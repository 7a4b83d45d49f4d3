<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Draft;
use RocketVps\Panel\Engine;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Refusal;
use RocketVps\Panel\Response;
use RocketVps\Restore\Answer\Preview;
use RocketVps\Restore\Request\TreeAsked;

/** One level of the tree of a backup, for a page that opens it in place. */
final class Tree implements Page
{
    /** Nodes on a page: with the box of each, a form stays below what PHP takes (max_input_vars). */
    public const LIMIT = 200;

    public function answer(Panel $panel): Response
    {
        $id = $panel->request->query('draft');
        $draft = $id === '' ? null : Draft::of($panel->session, $panel->engine, $id);
        $panel->session->close();
        $domain = $draft?->domain ?? $panel->engine->require($panel->request->query('domain'));
        $path = $draft?->backup ?? $panel->engine->backup($domain, $panel->request->query('backup'))->path;
        $at = $panel->request->path('at');
        $tree = new TreeAsked($at, 1, $panel->request->number('offset'), self::LIMIT);
        $preview = $panel->engine->preview($domain, $path, $tree);
        if (!$preview instanceof Preview) {
            throw new Refusal(503, 'panel_not_found');
        }
        return new Response($panel->view->part('tree', [
            'domain' => $domain,
            'backup' => Engine::nameOf($path),
            'files' => $preview->files,
            'at' => $at,
            'draft' => $draft,
            'opened' => true,
        ]));
    }
}
