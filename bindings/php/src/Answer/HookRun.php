<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\HookOutcome;
use RocketVps\Restore\Enum\Moment;

/** What became of one hook. */
final class HookRun implements Answer
{
    /** When it was run. */
    public readonly Moment|string $moment;

    /** Its file's name. */
    public readonly string $name;

    /** How it came out. */
    public readonly HookOutcome|string $outcome;

    /** Its exit status; `null` where it had none. */
    public readonly ?int $status;

    /** Seconds that it took. */
    public readonly float $tookSeconds;

    /** The beginning of what it wrote on both outputs, made safe to show; the end where it stopped the job. */
    public readonly string $said;

    public function __construct(Fields $fields)
    {
        $this->moment = $fields->word('moment', Moment::class);
        $this->name = $fields->text('name');
        $this->outcome = $fields->word('outcome', HookOutcome::class);
        $this->status = $fields->has('status') ? $fields->integer('status') : null;
        $this->tookSeconds = $fields->number('took_s');
        $this->said = $fields->text('said');
    }
}
