<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Phase;
use RocketVps\Restore\Enum\PhaseState;

/** How far one phase of a job is. */
final class PhaseStatus implements Answer
{
    /** Which phase. */
    public readonly Phase|string $phase;

    /** How far it is. */
    public readonly PhaseState|string $state;

    /** Number of entries, rows or files done. */
    public readonly int $items;

    /** Number of them in all; `null` when it is not known yet. */
    public readonly ?int $itemsTotal;

    /** Bytes done. */
    public readonly int $bytes;

    /** Bytes in all; `null` when they are not known yet. */
    public readonly ?int $bytesTotal;

    /** The entry or table that is being worked on; may be empty. */
    public readonly string $current;

    /** Seconds since it began. */
    public readonly float $elapsedSeconds;

    /** Estimated seconds to its end; `null` when nothing can be said. */
    public readonly ?float $remainingSeconds;

    /** How much of it is done, 0 to 100. */
    public readonly float $percent;

    public function __construct(Fields $fields)
    {
        $this->phase = $fields->word('phase', Phase::class);
        $this->state = $fields->word('state', PhaseState::class);
        $this->items = $fields->integer('items');
        $this->itemsTotal = $fields->has('items_total') ? $fields->integer('items_total') : null;
        $this->bytes = $fields->integer('bytes');
        $this->bytesTotal = $fields->has('bytes_total') ? $fields->integer('bytes_total') : null;
        $this->current = $fields->text('current');
        $this->elapsedSeconds = $fields->number('elapsed_s');
        $this->remainingSeconds = $fields->has('remaining_s') ? $fields->number('remaining_s') : null;
        $this->percent = $fields->number('percent');
    }
}
