<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Outcome;

/** One drill: the newest backup of a domain, staged, compared, asked for pages, and removed again. */
final class Drill implements Answer
{
    /** The domain. */
    public readonly string $domain;

    /** When it ended (RFC 3339). */
    public readonly string $time;

    /**
     * `pass`: the staged site answered its pages. `not_checked`: the backup was staged and compared, and no page proved
     * the site. `fail`: a restore would not have worked.
     */
    public readonly Outcome|string $outcome;

    /** The sentence a user reads. */
    public readonly string $message;

    /** Why a restore would not have worked; `null` where it would. */
    public readonly ?Error $error;

    /** Absolute path of the backup; `null` where there was none. */
    public readonly ?string $source;

    /** Seconds since the backup was made; `null` where nobody knows. */
    public readonly ?int $backupAgeSeconds;

    /** Seconds that a restore would take up to its change-over; `null` where it failed. */
    public readonly ?float $recoverySeconds;

    /**
     * Milliseconds that queries of the site would wait in the change-over; `null` where no table would move or it
     * failed.
     */
    public readonly ?int $changeOverMilliseconds;

    /** Name of the rehearsal; `null` where none began. */
    public readonly ?string $job;

    public function __construct(Fields $fields)
    {
        $this->domain = $fields->text('domain');
        $this->time = $fields->text('time');
        $this->outcome = $fields->word('outcome', Outcome::class);
        $this->message = $fields->text('message');
        $this->error = $fields->has('error') ? $fields->object('error', Error::class) : null;
        $this->source = $fields->has('source') ? $fields->text('source') : null;
        $this->backupAgeSeconds = $fields->has('backup_age_s') ? $fields->integer('backup_age_s') : null;
        $this->recoverySeconds = $fields->has('recovery_s') ? $fields->number('recovery_s') : null;
        $this->changeOverMilliseconds = $fields->has('change_over_ms') ? $fields->integer('change_over_ms') : null;
        $this->job = $fields->has('job') ? $fields->text('job') : null;
    }
}
