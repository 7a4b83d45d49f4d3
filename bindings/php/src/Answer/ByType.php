<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Number of files by what they are. */
final class ByType implements Answer
{
    /** `.php` and its kin. */
    public readonly int $php;

    /** `.js`, `.mjs`. */
    public readonly int $js;

    /** `.css`, `.scss`, `.less`. */
    public readonly int $css;

    /** Pictures. */
    public readonly int $images;

    /** Everything else. */
    public readonly int $other;

    public function __construct(Fields $fields)
    {
        $this->php = $fields->integer('php');
        $this->js = $fields->integer('js');
        $this->css = $fields->integer('css');
        $this->images = $fields->integer('images');
        $this->other = $fields->integer('other');
    }
}
