<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\ConfigItem;

/** A configuration file of a backup. */
final class PreviewedConfig implements Answer
{
    /** What it configures. */
    public readonly ConfigItem|string $item;

    /** Its name in the backup, without folders. */
    public readonly string $name;

    /** Bytes. */
    public readonly int $size;

    /** What it says; `null` when it has no place on this machine. */
    public readonly ?ConfigMeaning $meaning;

    public function __construct(Fields $fields)
    {
        $this->item = $fields->word('item', ConfigItem::class);
        $this->name = $fields->text('name');
        $this->size = $fields->integer('size');
        $this->meaning = $fields->has('meaning') ? $fields->object('meaning', ConfigMeaning::class) : null;
    }
}
