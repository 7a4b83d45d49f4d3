<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\JobKind;
use RocketVps\Restore\Enum\JobState;

/** What `notify.command` and `notify.webhook` of restore.toml are told when a restore or rollback has ended. */
final class Notification implements Answer
{
    /** Name of the job. */
    public readonly string $job;

    /** What it did. */
    public readonly JobKind|string $kind;

    /** Its domain. */
    public readonly ?string $domain;

    /** How it ended. */
    public readonly JobState|string $state;

    /** What it gave; `null` unless it is done. */
    public readonly Report|Rehearsed|Preview|Comparison|Validation|Verification|SnapshotMade|SnapshotDeleted|Cleanup|Recovery|Other|null $result;

    /** Why it did not do what was asked; `null` when it did. */
    public readonly ?Error $error;

    public function __construct(Fields $fields)
    {
        $this->job = $fields->text('job');
        $this->kind = $fields->word('kind', JobKind::class);
        $this->domain = $fields->has('domain') ? $fields->text('domain') : null;
        $this->state = $fields->word('state', JobState::class);
        $this->result = $fields->has('result') ? $fields->oneOf('result', [Report::class, Rehearsed::class, Preview::class, Comparison::class, Validation::class, Verification::class, SnapshotMade::class, SnapshotDeleted::class, Cleanup::class, Recovery::class]) : null;
        $this->error = $fields->has('error') ? $fields->object('error', Error::class) : null;
    }
}
