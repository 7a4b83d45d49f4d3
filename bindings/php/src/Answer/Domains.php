<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** `list_domains`: every domain that has backups, snapshots or a document root. */
final class Domains implements Answer
{
    /**
     * The domains, by name.
     *
     * @var list<DomainInfo>
     */
    public readonly array $domains;

    public function __construct(Fields $fields)
    {
        $this->domains = $fields->objects('domains', DomainInfo::class);
    }
}
