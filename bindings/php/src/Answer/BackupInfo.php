<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\BackupKind;
use RocketVps\Restore\Enum\Integrity;
use RocketVps\Restore\Enum\IntegritySource;

/** One backup in a list. */
final class BackupInfo implements Answer
{
    /** Absolute path of the archive. */
    public readonly string $path;

    /** Name of the archive's file. */
    public readonly string $name;

    /** Full or incremental. */
    public readonly BackupKind|string $kind;

    /** The layout of its entries, where its name or an earlier reading told it; else `null`. */
    public readonly ?string $layout;

    /** Absolute path of the full backup that an incremental one builds on; else `null`. */
    public readonly ?string $base;

    /** When it was made, local time without an offset: `2025-10-04T03:00:00`, or `unknown`. */
    public readonly string $date;

    /** Bytes of the archive alone. */
    public readonly int $size;

    /** The same for people: `286M`. */
    public readonly string $sizeText;

    /** Whether it is sound. */
    public readonly Integrity|string $integrity;

    /** Who says so; `null` where nobody does. */
    public readonly IntegritySource|string|null $integrityFrom;

    /** Number of the site's regular files, if known. */
    public readonly ?int $fileCount;

    /** Number of tables in its dump, if known. */
    public readonly ?int $dbTables;

    /** Absolute path of the dump that lies beside it, if there is one. */
    public readonly ?string $dump;

    public function __construct(Fields $fields)
    {
        $this->path = $fields->text('path');
        $this->name = $fields->text('name');
        $this->kind = $fields->word('kind', BackupKind::class);
        $this->layout = $fields->has('layout') ? $fields->text('layout') : null;
        $this->base = $fields->has('base') ? $fields->text('base') : null;
        $this->date = $fields->text('date');
        $this->size = $fields->integer('size');
        $this->sizeText = $fields->text('size_text');
        $this->integrity = $fields->word('integrity', Integrity::class);
        $this->integrityFrom = $fields->has('integrity_from') ? $fields->word('integrity_from', IntegritySource::class) : null;
        $this->fileCount = $fields->has('file_count') ? $fields->integer('file_count') : null;
        $this->dbTables = $fields->has('db_tables') ? $fields->integer('db_tables') : null;
        $this->dump = $fields->has('dump') ? $fields->text('dump') : null;
    }
}
