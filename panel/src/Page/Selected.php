<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Draft;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Refusal;
use RocketVps\Panel\Response;

/** Takes over what was selected, and goes on with it. */
final class Selected implements Page
{
    public function answer(Panel $panel): Response
    {
        $request = $panel->request;
        $draft = Draft::of($panel->session, $panel->engine, $request->form('draft'));
        // The last field: PHP drops fields beyond max_input_vars without a word, and then less would be restored than was ticked.
        if ($request->form('end') !== '1') {
            throw new Refusal(422, 'panel_too_many');
        }
        foreach (Draft::PARTS as $part) {
            $take = $request->form("take_$part");
            if ($draft->has[$part] && in_array($take, ['all', 'parts', 'none'], true)) {
                $draft->take[$part] = $take;
            }
            $shown = [];
            foreach ($request->paths("seen_$part") as $names) {
                foreach ((array) json_decode($names, true) as $name) {
                    $shown[] = is_string($name) ? $name : '';
                }
            }
            $draft->pick($part, $shown, $request->paths("pick_$part"));
        }
        $draft->exact = $request->form('exact') === '1';
        $draft->orphans = $request->form('orphans') === '1';
        // What was found about another selection, and accepted of it, says nothing about this one.
        $draft->check = $draft->comparison = '';
        $draft->accept = [];
        $draft->save($panel->session);
        [$go, $at, $offset] = explode(':', $request->form('go') . '::');
        $here = ['draft' => $draft->id];
        return match (true) {
            $go === 'at' => Response::to($panel->links->to('select', $here + ['at' => $at, 'offset' => (int) $offset ?: null]) . '#files'),
            $draft->isEmpty() => Response::to($panel->links->to('select', $here + ['note' => 'nothing'])),
            $go === 'changes' => (new StartComparison())->begin($panel, $draft),
            default => (new StartCheck())->begin($panel, $draft),
        };
    }
}
