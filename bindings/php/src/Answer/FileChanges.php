<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What a restore would change of the files. */
final class FileChanges implements Answer
{
    /** Number of those that are only in the backup, and would come. */
    public readonly int $added;

    /** Number of those that would become other ones. */
    public readonly int $changed;

    /** Number of those that are only live, and would go. */
    public readonly int $removed;

    /** Number of those that are equal on both sides. */
    public readonly int $same;

    /** Number of those that are only live, and would stay. */
    public readonly int $kept;

    /** Folders. */
    public readonly Counts $folders;

    /** Bytes of the files that would come. */
    public readonly int $bytesAdded;

    /** Bytes of the changed files, as the backup has them. */
    public readonly int $bytesChanged;

    /** Bytes of the files that would go. */
    public readonly int $bytesRemoved;

    /** Bytes of the files that are only live, and would stay. */
    public readonly int $bytesKept;

    /** How files were compared: `content`, or `size and time, content where the time differs`. */
    public readonly string $comparedBy;

    /** Number of files whose content was read. */
    public readonly int $contentsRead;

    /** Bytes of that content. */
    public readonly int $bytesRead;

    /** Number of entries on all pages. */
    public readonly int $total;

    /**
     * The first entries.
     *
     * @var list<FileEntry>
     */
    public readonly array $entries;

    public function __construct(Fields $fields)
    {
        $this->added = $fields->integer('added');
        $this->changed = $fields->integer('changed');
        $this->removed = $fields->integer('removed');
        $this->same = $fields->integer('same');
        $this->kept = $fields->integer('kept');
        $this->folders = $fields->object('folders', Counts::class);
        $this->bytesAdded = $fields->integer('bytes_added');
        $this->bytesChanged = $fields->integer('bytes_changed');
        $this->bytesRemoved = $fields->integer('bytes_removed');
        $this->bytesKept = $fields->integer('bytes_kept');
        $this->comparedBy = $fields->text('compared_by');
        $this->contentsRead = $fields->integer('contents_read');
        $this->bytesRead = $fields->integer('bytes_read');
        $this->total = $fields->integer('total');
        $this->entries = $fields->objects('entries', FileEntry::class);
    }
}
