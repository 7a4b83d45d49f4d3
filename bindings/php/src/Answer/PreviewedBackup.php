<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\BackupKind;
use RocketVps\Restore\Enum\Compression;
use RocketVps\Restore\Enum\Integrity;

/** The backup that is previewed. */
final class PreviewedBackup implements Answer
{
    /** Absolute path of the archive, or of the snapshot's folder. */
    public readonly string $path;

    /** Its last name. */
    public readonly string $name;

    /** When it was made, local time without an offset. */
    public readonly string $date;

    /** Bytes of all files that it is made of. */
    public readonly int $size;

    /** The same for people: `286M`. */
    public readonly string $sizeText;

    /** How its first archive is packed. */
    public readonly Compression|string $compression;

    /** Whether it is sound; `valid`, for a damaged one has no preview. */
    public readonly Integrity|string $integrity;

    /** Full or incremental. */
    public readonly BackupKind|string $kind;

    /** Absolute path of the full backup that an incremental one builds on; else `null`. */
    public readonly ?string $base;

    /** The layout of its entries. */
    public readonly ?string $layout;

    /** The domain. */
    public readonly string $domain;

    public function __construct(Fields $fields)
    {
        $this->path = $fields->text('path');
        $this->name = $fields->text('name');
        $this->date = $fields->text('date');
        $this->size = $fields->integer('size');
        $this->sizeText = $fields->text('size_text');
        $this->compression = $fields->word('compression', Compression::class);
        $this->integrity = $fields->word('integrity', Integrity::class);
        $this->kind = $fields->word('kind', BackupKind::class);
        $this->base = $fields->has('base') ? $fields->text('base') : null;
        $this->layout = $fields->has('layout') ? $fields->text('layout') : null;
        $this->domain = $fields->text('domain');
    }
}
