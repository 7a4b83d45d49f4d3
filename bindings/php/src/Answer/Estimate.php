<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** How long a restore is expected to take. */
final class Estimate implements Answer
{
    /** Seconds for extracting the files. */
    public readonly float $filesSeconds;

    /** Seconds for loading the database. */
    public readonly float $databaseSeconds;

    /** Seconds for the configuration. */
    public readonly float $configSeconds;

    /** Seconds for reading back and comparing. */
    public readonly float $verifySeconds;

    /** Seconds in all; files and database run side by side. */
    public readonly float $totalSeconds;

    /**
     * Seconds of a restore of fewer components, by their names: `files`, `files+database` and so on.
     *
     * @var array<string, mixed>
     */
    public readonly array $of;

    /** Number of restores of this machine that the figures were learned from; 0: a guess. */
    public readonly int $learnedFrom;

    public function __construct(Fields $fields)
    {
        $this->filesSeconds = $fields->number('files_s');
        $this->databaseSeconds = $fields->number('database_s');
        $this->configSeconds = $fields->number('config_s');
        $this->verifySeconds = $fields->number('verify_s');
        $this->totalSeconds = $fields->number('total_s');
        $this->of = $fields->map('of');
        $this->learnedFrom = $fields->integer('learned_from');
    }
}
