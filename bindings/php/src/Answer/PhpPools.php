<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The pools of a PHP-FPM file. */
final class PhpPools implements Alternative
{
    /**
     * The pools.
     *
     * @var list<PhpPool>
     */
    public readonly array $pools;

    public function __construct(Fields $fields)
    {
        $this->pools = $fields->objects('pools', PhpPool::class);
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('pools');
    }
}
