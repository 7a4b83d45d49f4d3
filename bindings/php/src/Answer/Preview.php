<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What is in a backup, and what a restore of it takes. */
class Preview implements Alternative
{
    /** The backup itself. */
    public readonly PreviewedBackup $backup;

    /** The archives and the dump that make its state. */
    public readonly Chain $chain;

    /** The site's files. */
    public readonly PreviewedFiles $files;

    /** The database; `null` without one. */
    public readonly ?PreviewedDatabase $database;

    /**
     * The configuration files.
     *
     * @var list<PreviewedConfig>
     */
    public readonly array $config;

    /** How long a restore is expected to take; `null` when nothing can be said. */
    public readonly ?Estimate $estimate;

    /** The room that a restore takes. */
    public readonly PreviewedSpace $space;

    /**
     * What a user should know before restoring it, as sentences.
     *
     * @var list<string>
     */
    public readonly array $warnings;

    public function __construct(Fields $fields)
    {
        $this->backup = $fields->object('backup', PreviewedBackup::class);
        $this->chain = $fields->object('chain', Chain::class);
        $this->files = $fields->object('files', PreviewedFiles::class);
        $this->database = $fields->has('database') ? $fields->object('database', PreviewedDatabase::class) : null;
        $this->config = $fields->objects('config', PreviewedConfig::class);
        $this->estimate = $fields->has('estimate') ? $fields->object('estimate', Estimate::class) : null;
        $this->space = $fields->object('space', PreviewedSpace::class);
        $this->warnings = $fields->texts('warnings');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('backup', 'chain', 'files', 'database', 'config', 'estimate', 'space', 'warnings');
    }
}
