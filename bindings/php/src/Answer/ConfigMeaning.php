<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\ConfigItem;

/** A configuration file, its place and what it says. */
final class ConfigMeaning implements Answer
{
    /** What it configures. */
    public readonly ConfigItem|string $item;

    /** Its name in the backup, without folders. */
    public readonly string $name;

    /** Absolute path where it belongs on this machine. */
    public readonly string $target;

    /** Bytes. */
    public readonly int $bytes;

    /** What it says; missing when it cannot be read. */
    public readonly NginxSite|PhpPools|PemFile|CronFile|Other|null $meaning;

    /** Why it cannot be read, as a sentence; missing when it can. */
    public readonly ?string $problem;

    public function __construct(Fields $fields)
    {
        $this->item = $fields->word('item', ConfigItem::class);
        $this->name = $fields->text('name');
        $this->target = $fields->text('target');
        $this->bytes = $fields->integer('bytes');
        $this->meaning = $fields->has('meaning') ? $fields->oneOf('meaning', [NginxSite::class, PhpPools::class, PemFile::class, CronFile::class]) : null;
        $this->problem = $fields->has('problem') ? $fields->text('problem') : null;
    }
}
