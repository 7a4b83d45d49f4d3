<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\ConfigItem;

/** A configuration file in a snapshot. */
final class SavedConfig implements Answer
{
    /** What it configures. */
    public readonly ConfigItem|string $item;

    /** Its path inside `config.tar.gz`. */
    public readonly string $name;

    /** Absolute path where it was live. */
    public readonly string $path;

    public function __construct(Fields $fields)
    {
        $this->item = $fields->word('item', ConfigItem::class);
        $this->name = $fields->text('name');
        $this->path = $fields->text('path');
    }
}
