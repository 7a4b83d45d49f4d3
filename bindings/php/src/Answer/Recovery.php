<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** `recover`: what was finished or undone. */
class Recovery implements Alternative
{
    /**
     * The jobs that were left unfinished, and what became of them.
     *
     * @var list<RecoveredJob>
     */
    public readonly array $recovered;

    /**
     * Domains with a worker at work.
     *
     * @var list<string>
     */
    public readonly array $busy;

    /**
     * Schemas and accounts that were removed because no job and no snapshot refers to them.
     *
     * @var list<string>
     */
    public readonly array $orphans;

    public function __construct(Fields $fields)
    {
        $this->recovered = $fields->objects('recovered', RecoveredJob::class);
        $this->busy = $fields->texts('busy');
        $this->orphans = $fields->texts('orphans');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('recovered', 'busy', 'orphans');
    }
}
