<?php

declare(strict_types=1);

namespace RocketVps\Panel;

/** What the page itself refuses, before the engine is asked: a status of HTTP and a word of the catalogue. */
final class Refusal extends \RuntimeException
{
    public function __construct(public readonly int $status, public readonly string $word)
    {
        parent::__construct($word, $status);
    }

    /** What is not there and what is somebody else's look the same. */
    public static function notFound(): self
    {
        return new self(404, 'panel_not_found');
    }
}
