<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\CompatibilityAction;
use RocketVps\Restore\Enum\CompatibilityKind;
use RocketVps\Restore\Enum\CompatibilityOutcome;

/** Something of a dump that the server would not have taken as it stands. */
final class CompatibilityFinding implements Answer
{
    /** What it is. */
    public readonly CompatibilityKind|string $kind;

    /** Its name, such as that of a collation. */
    public readonly string $subject;

    /** Number of times that it is in the dump. */
    public readonly int $count;

    /** Line of the dump with the first statement that has it. */
    public readonly int $firstLine;

    /** Table of that statement; missing where it is of none. */
    public readonly ?string $table;

    /** What is done. */
    public readonly CompatibilityAction|string $action;

    /** What takes its place; missing where nothing does. */
    public readonly ?string $into;

    /** How it comes out. */
    public readonly CompatibilityOutcome|string $outcome;

    /** The sentence a user reads. */
    public readonly string $message;

    public function __construct(Fields $fields)
    {
        $this->kind = $fields->word('kind', CompatibilityKind::class);
        $this->subject = $fields->text('subject');
        $this->count = $fields->integer('count');
        $this->firstLine = $fields->integer('first_line');
        $this->table = $fields->has('table') ? $fields->text('table') : null;
        $this->action = $fields->word('action', CompatibilityAction::class);
        $this->into = $fields->has('into') ? $fields->text('into') : null;
        $this->outcome = $fields->word('outcome', CompatibilityOutcome::class);
        $this->message = $fields->text('message');
    }
}
