<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Why a PEM file cannot be read. */
final class PemProblem implements Alternative
{
    /** The reason, as a sentence. */
    public readonly string $problem;

    public function __construct(Fields $fields)
    {
        $this->problem = $fields->text('problem');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('problem');
    }
}
