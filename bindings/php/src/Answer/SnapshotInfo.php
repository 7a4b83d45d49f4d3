<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\SnapshotForm;

/** One snapshot in a list. */
final class SnapshotInfo implements Answer
{
    /** Absolute path of its folder. */
    public readonly string $path;

    /** Name of its folder. */
    public readonly string $name;

    /** Its form. */
    public readonly SnapshotForm|string $form;

    /** When it was made, local time without an offset, or `unknown`. */
    public readonly string $created;

    /** Hours until it expires; negative when it has. */
    public readonly float $expiresInHours;

    /** The same in seconds. */
    public readonly int $expiresInSeconds;

    /** Bytes of the archives; of a retained one those of the kept tree where they were counted, else 0. */
    public readonly int $size;

    /** The same for people: `286M`. */
    public readonly string $sizeText;

    /** Name of the job that left it; `null` for one that was made on request. */
    public readonly ?string $job;

    /** Number of files, if known. */
    public readonly ?int $files;

    /** Number of tables, if known. */
    public readonly ?int $tables;

    /** Rows of all tables, if known. */
    public readonly ?int $rows;

    /** Whether it holds the document root. */
    public readonly bool $hasFiles;

    /** Whether it holds the database. */
    public readonly bool $hasDatabase;

    /** Whether it holds configuration. */
    public readonly bool $hasConfig;

    public function __construct(Fields $fields)
    {
        $this->path = $fields->text('path');
        $this->name = $fields->text('name');
        $this->form = $fields->word('form', SnapshotForm::class);
        $this->created = $fields->text('created');
        $this->expiresInHours = $fields->number('expires_in_h');
        $this->expiresInSeconds = $fields->integer('expires_in_s');
        $this->size = $fields->integer('size');
        $this->sizeText = $fields->text('size_text');
        $this->job = $fields->has('job') ? $fields->text('job') : null;
        $this->files = $fields->has('files') ? $fields->integer('files') : null;
        $this->tables = $fields->has('tables') ? $fields->integer('tables') : null;
        $this->rows = $fields->has('rows') ? $fields->integer('rows') : null;
        $this->hasFiles = $fields->flag('has_files');
        $this->hasDatabase = $fields->flag('has_database');
        $this->hasConfig = $fields->flag('has_config');
    }
}
