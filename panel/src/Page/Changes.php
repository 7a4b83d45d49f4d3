<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Draft;
use RocketVps\Panel\Engine;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Refusal;
use RocketVps\Panel\Response;
use RocketVps\Restore\Answer\Changes as Found;
use RocketVps\Restore\Answer\Comparison;
use RocketVps\Restore\Answer\Validation;
use RocketVps\Restore\Exception\RestoreException;
use RocketVps\Restore\Request\DiffRequest;

/** What a restore would change, a page at a time. */
final class Changes implements Page
{
    private const LIMIT = 100;

    public function answer(Panel $panel): Response
    {
        $id = $panel->request->query('draft');
        $draft = $id === '' ? null : Draft::of($panel->session, $panel->engine, $id);
        $job = $draft === null ? $panel->request->query('job') : ($draft->comparison ?: $draft->check);
        $status = $panel->engine->settled($job);
        if (!Engine::hasEnded($status)) {
            return $panel->progress($status, ['doing' => $panel->words->say('comparing')]);
        }
        if ($status->error !== null) {
            throw RestoreException::of($status->error);
        }
        $changes = $status->result instanceof Validation ? $status->result->changes : $status->result;
        if (!$changes instanceof Found && !$changes instanceof Comparison) {
            throw new Refusal(404, 'panel_not_found');
        }
        $parts = array_filter(['files' => $changes->files, 'tables' => $changes->tables, 'config' => $changes->config, 'rows' => $changes->rows]);
        $part = $panel->request->query('part');
        $part = isset($parts[$part]) ? $part : (string) array_key_first($parts);
        $page = $part === '' ? null : $panel->engine->client->diffBackup(new DiffRequest(job: $job, part: $part, offset: $panel->request->number('offset'), limit: self::LIMIT));
        return $panel->view->page('changes', $panel->words->heading('title_changes'), [
            'domain' => $status->domain,
            'tab' => 'backups',
            'draft' => $draft,
            'here' => $draft === null ? ['job' => $job] : ['draft' => $draft->id],
            'parts' => $parts,
            'part' => $part,
            'entries' => $page,
        ]);
    }
}
