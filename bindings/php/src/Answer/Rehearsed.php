<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Outcome;

/** `rehearse`: what a restore of a backup would come to. What was staged for it is removed again. */
class Rehearsed implements Alternative
{
    /** The domain. */
    public readonly string $domain;

    /** Absolute path of the backup. */
    public readonly string $source;

    /** The outcome of the rehearsal. */
    public readonly Outcome|string $outcome;

    /** The rehearsal. */
    public readonly Rehearsal $rehearsal;

    /**
     * Checks on the staged state.
     *
     * @var list<Group>
     */
    public readonly array $staged;

    /** Seconds that a restore would take up to its change-over. */
    public readonly float $recoverySeconds;

    /**
     * Milliseconds that queries of the site would wait in the change-over, by two tables that were renamed on the
     * server; `null` where no table would move.
     */
    public readonly ?int $changeOverMilliseconds;

    /** The files; `null` when they took no part. */
    public readonly ?RestoredFiles $files;

    /**
     * What was adapted, stripped or left out, as sentences.
     *
     * @var list<string>
     */
    public readonly array $notes;

    public function __construct(Fields $fields)
    {
        $this->domain = $fields->text('domain');
        $this->source = $fields->text('source');
        $this->outcome = $fields->word('outcome', Outcome::class);
        $this->rehearsal = $fields->object('rehearsal', Rehearsal::class);
        $this->staged = $fields->objects('staged', Group::class);
        $this->recoverySeconds = $fields->number('recovery_s');
        $this->changeOverMilliseconds = $fields->has('change_over_ms') ? $fields->integer('change_over_ms') : null;
        $this->files = $fields->has('files') ? $fields->object('files', RestoredFiles::class) : null;
        $this->notes = $fields->texts('notes');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('domain', 'source', 'outcome', 'rehearsal', 'staged', 'recovery_s', 'change_over_ms', 'files', 'notes');
    }
}
