<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\SnapshotForm;

/** `create_snapshot`: the snapshot that was made. */
class SnapshotMade implements Alternative
{
    /** Version of the manifest; 1. */
    public readonly int $schema;

    /** Its form; `portable`. */
    public readonly SnapshotForm|string $form;

    /** The domain. */
    public readonly string $domain;

    /** When it was made, local time without an offset. */
    public readonly string $created;

    /** Number of files, further names of a file included. */
    public readonly int $files;

    /** Number of folders. */
    public readonly int $folders;

    /** Number of symbolic links. */
    public readonly int $links;

    /** Bytes of the files' content. */
    public readonly int $bytes;

    /** Number of files that changed or vanished while they were read. */
    public readonly int $changedWhileRead;

    /** Number of devices, FIFOs, sockets and nested mounts, which are left out. */
    public readonly int $leftOut;

    /** Number of tables; `null` without a database. */
    public readonly ?int $tables;

    /** Rows of all tables; `null` without a database. */
    public readonly ?int $rows;

    /** Number of views, triggers, routines and events; `null` without a database. */
    public readonly ?int $objects;

    /** Bytes of SQL; `null` without a database. */
    public readonly ?int $databaseBytes;

    /** Name of the schema; `null` without a database. */
    public readonly ?string $database;

    /**
     * The configuration files.
     *
     * @var list<SavedConfig>
     */
    public readonly array $config;

    /**
     * The files that it is made of.
     *
     * @var list<SnapshotPart>
     */
    public readonly array $parts;

    /** Bytes of those files. */
    public readonly int $size;

    /** Seconds that it took. */
    public readonly float $tookSeconds;

    /** Absolute path of its folder. */
    public readonly string $path;

    /** Whether it was read back whole; always `true`, for one that was not is not kept. */
    public readonly bool $verified;

    public function __construct(Fields $fields)
    {
        $this->schema = $fields->integer('schema');
        $this->form = $fields->word('form', SnapshotForm::class);
        $this->domain = $fields->text('domain');
        $this->created = $fields->text('created');
        $this->files = $fields->integer('files');
        $this->folders = $fields->integer('folders');
        $this->links = $fields->integer('links');
        $this->bytes = $fields->integer('bytes');
        $this->changedWhileRead = $fields->integer('changed_while_read');
        $this->leftOut = $fields->integer('left_out');
        $this->tables = $fields->has('tables') ? $fields->integer('tables') : null;
        $this->rows = $fields->has('rows') ? $fields->integer('rows') : null;
        $this->objects = $fields->has('objects') ? $fields->integer('objects') : null;
        $this->databaseBytes = $fields->has('database_bytes') ? $fields->integer('database_bytes') : null;
        $this->database = $fields->has('database') ? $fields->text('database') : null;
        $this->config = $fields->objects('config', SavedConfig::class);
        $this->parts = $fields->objects('parts', SnapshotPart::class);
        $this->size = $fields->integer('size');
        $this->tookSeconds = $fields->number('took_s');
        $this->path = $fields->text('path');
        $this->verified = $fields->flag('verified');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('schema', 'form', 'domain', 'created', 'files', 'folders', 'links', 'bytes', 'changed_while_read', 'left_out', 'tables', 'rows', 'objects', 'database_bytes', 'database', 'config', 'parts', 'size', 'took_s', 'path', 'verified');
    }
}
