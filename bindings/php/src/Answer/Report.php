<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/**
 * What a restore or rollback did. A report by a recovery has `recovered`, and lacks what only the worker that died
 * knew.
 */
class Report implements Alternative
{
    /** The domain. */
    public readonly string $domain;

    /** Absolute path of the backup or snapshot that it came from. */
    public readonly string $source;

    /** Absolute path of the snapshot that holds the state before. */
    public readonly string $snapshot;

    /** A recovery finished the job; missing when the job's own worker did. */
    public readonly ?bool $recovered;

    /** Seconds from the begin of the job to its end. */
    public readonly ?float $durationSeconds;

    /** Milliseconds that the change-over took. */
    public readonly ?float $commitMilliseconds;

    /** The files; `null` when they took no part, or were kept ones that changed places. */
    public readonly ?RestoredFiles $files;

    /** The database; `null` when it took no part. */
    public readonly ?RestoredDatabase $database;

    /**
     * Absolute paths of the configuration files that were installed or removed.
     *
     * @var list<string>|null
     */
    public readonly ?array $config;

    /** The interrupted restore whose staging was gone on with; `null` without one. */
    public readonly ?WentOnWith $wentOnWith;

    /** Most bytes of memory that the worker had at a time; 0 when the kernel does not say. */
    public readonly ?int $peakMemoryBytes;

    /** How the staged and the live state were checked; missing where a recovery found nothing to check. */
    public readonly ?ReportedChecks $verification;

    /** The rehearsal of the staged site; missing where a recovery finished the job, and in a way back. */
    public readonly ?Rehearsal $rehearsal;

    /**
     * What was adapted, stripped or left out, as sentences; missing where a recovery knows of nothing.
     *
     * @var list<string>|null
     */
    public readonly ?array $notes;

    /**
     * The hooks that were run until the report was made, in their order; missing where there was none.
     *
     * @var list<HookRun>|null
     */
    public readonly ?array $hooks;

    public function __construct(Fields $fields)
    {
        $this->domain = $fields->text('domain');
        $this->source = $fields->text('source');
        $this->snapshot = $fields->text('snapshot');
        $this->recovered = $fields->has('recovered') ? $fields->flag('recovered') : null;
        $this->durationSeconds = $fields->has('duration_s') ? $fields->number('duration_s') : null;
        $this->commitMilliseconds = $fields->has('commit_ms') ? $fields->number('commit_ms') : null;
        $this->files = $fields->has('files') ? $fields->object('files', RestoredFiles::class) : null;
        $this->database = $fields->has('database') ? $fields->object('database', RestoredDatabase::class) : null;
        $this->config = $fields->has('config') ? $fields->texts('config') : null;
        $this->wentOnWith = $fields->has('went_on_with') ? $fields->object('went_on_with', WentOnWith::class) : null;
        $this->peakMemoryBytes = $fields->has('peak_memory_bytes') ? $fields->integer('peak_memory_bytes') : null;
        $this->verification = $fields->has('verification') ? $fields->object('verification', ReportedChecks::class) : null;
        $this->rehearsal = $fields->has('rehearsal') ? $fields->object('rehearsal', Rehearsal::class) : null;
        $this->notes = $fields->has('notes') ? $fields->texts('notes') : null;
        $this->hooks = $fields->has('hooks') ? $fields->objects('hooks', HookRun::class) : null;
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('domain', 'source', 'snapshot');
    }
}
