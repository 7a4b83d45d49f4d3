<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

use RocketVps\Restore\Enum\KeepOrRefuse;
use RocketVps\Restore\Enum\MapOrRefuse;
use RocketVps\Restore\Enum\SkipOrRefuse;
use RocketVps\Restore\Enum\SkipOrRefuseStatement;
use RocketVps\Restore\Enum\SplitOrRefuse;
use RocketVps\Restore\Enum\StripOrRefuse;

/** What is done about each kind of difference. */
final class CompatibilityActions implements Request
{
    /**
     * @param MapOrRefuse|string|null $collation Collations the server does not have. By default "map".
     * @param MapOrRefuse|string|null $definer Definers other than the site's own account. By default "map".
     * @param StripOrRefuse|string|null $gtid GTID lines. By default "strip".
     * @param SplitOrRefuse|string|null $packet Statements longer than `max_allowed_packet`. By default "split".
     * @param MapOrRefuse|string|null $engine Storage engines the server does not have. By default "map".
     * @param KeepOrRefuse|string|null $zeroDates Zero dates. By default "keep".
     * @param SkipOrRefuse|string|null $versionedComment Versioned comments that the server skips and that say more than
     * it says anyway. By default "skip".
     * @param SkipOrRefuseStatement|string|null $statement Statements that no dump of a site needs and that are about no
     * table: `GRANT`, `CALL`. They are never sent. By default "refuse".
     */
    public function __construct(
        public readonly MapOrRefuse|string|null $collation = null,
        public readonly MapOrRefuse|string|null $definer = null,
        public readonly StripOrRefuse|string|null $gtid = null,
        public readonly SplitOrRefuse|string|null $packet = null,
        public readonly MapOrRefuse|string|null $engine = null,
        public readonly KeepOrRefuse|string|null $zeroDates = null,
        public readonly SkipOrRefuse|string|null $versionedComment = null,
        public readonly SkipOrRefuseStatement|string|null $statement = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'collation' => $this->collation,
            'definer' => $this->definer,
            'gtid' => $this->gtid,
            'packet' => $this->packet,
            'engine' => $this->engine,
            'zero_dates' => $this->zeroDates,
            'versioned_comment' => $this->versionedComment,
            'statement' => $this->statement,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
