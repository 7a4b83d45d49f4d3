<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Ending;
use RocketVps\Panel\Engine;
use RocketVps\Panel\Page;
use RocketVps\Panel\Panel;
use RocketVps\Panel\Response;
use RocketVps\Panel\Text;
use RocketVps\Restore\Answer\Comparison;
use RocketVps\Restore\Answer\JobStatus;
use RocketVps\Restore\Answer\Preview as Previewed;
use RocketVps\Restore\Answer\Rehearsed;
use RocketVps\Restore\Answer\Report;
use RocketVps\Restore\Answer\SnapshotDeleted;
use RocketVps\Restore\Answer\SnapshotInfo;
use RocketVps\Restore\Answer\SnapshotMade;
use RocketVps\Restore\Answer\Validation;
use RocketVps\Restore\Answer\Verification;
use RocketVps\Restore\Exception\RestoreException;

/** A job: its progress, and how it ended. Reloading it, or coming back the next day, shows how it stands. */
final class Job implements Page
{
    public function answer(Panel $panel): Response
    {
        $status = $panel->engine->status($panel->request->query('job'));
        if (!Engine::hasEnded($status)) {
            return $panel->progress($status);
        }
        $with = ['status' => $status, 'domain' => $status->domain, 'tab' => 'jobs'];
        $words = $panel->words;
        $result = $status->result;
        return match (true) {
            $status->error !== null => $panel->view->page('failure', (new Ending($status))->title($words), $with),
            // What a job gave is its end only where it is done.
            Text::word($status->state) !== 'done' => $panel->view->page('ended', $words->heading('title_job'), $with),
            $result instanceof Report => $panel->view->page('report', $words->heading('title_report'), $with + [
                'report' => $result,
                'snapshot' => self::snapshotOf($panel, $status),
            ]),
            $result instanceof Rehearsed => $panel->view->page('rehearsed', $words->heading('group_rehearsal'), $with + ['rehearsed' => $result]),
            $result instanceof Validation => $panel->view->page('check', $words->heading('title_validation'), $with + [
                'validation' => $result,
                'job' => $status->job,
                'draft' => null,
            ]),
            $result instanceof Verification => $panel->view->page('verification', $words->heading('title_verify'), $with + ['verification' => $result]),
            $result instanceof Comparison => Response::to($panel->links->to('changes', ['job' => $status->job])),
            $result instanceof Previewed => Response::to($panel->links->to('preview', [
                'domain' => $status->domain,
                'backup' => Engine::nameOf($result->backup->path),
            ])),
            $result instanceof SnapshotMade => Response::to($panel->links->to('snapshots', ['domain' => $status->domain, 'note' => 'made'])),
            $result instanceof SnapshotDeleted => Response::to($panel->links->to('snapshots', ['domain' => $status->domain, 'note' => 'deleted'])),
            default => $panel->view->page('ended', $words->heading('title_job'), $with),
        };
    }

    /** What the job left to go back to; null where it is gone, or may not be listed. */
    private static function snapshotOf(Panel $panel, JobStatus $status): ?SnapshotInfo
    {
        try {
            foreach ($panel->engine->snapshots((string) $status->domain) as $snapshot) {
                if ($snapshot->job === $status->job) {
                    return $snapshot;
                }
            }
        } catch (RestoreException) {
            return null;
        }
        return null;
    }
}
