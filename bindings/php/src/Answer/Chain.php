<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The archives and the dump that make a state. */
final class Chain implements Answer
{
    /**
     * The archives, oldest first.
     *
     * @var list<ChainArchive>
     */
    public readonly array $archives;

    /** The dump; `null` without one. */
    public readonly ?ChainDump $dump;

    public function __construct(Fields $fields)
    {
        $this->archives = $fields->objects('archives', ChainArchive::class);
        $this->dump = $fields->has('dump') ? $fields->object('dump', ChainDump::class) : null;
    }
}
