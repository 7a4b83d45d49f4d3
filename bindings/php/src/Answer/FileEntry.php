<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Change;
use RocketVps\Restore\Enum\FileType;
use RocketVps\Restore\Enum\Unequal;

/** A file, folder or link that a restore would change or keep. */
final class FileEntry implements Answer
{
    /** Path below the document root. */
    public readonly string $path;

    /** What a restore would do with it. */
    public readonly Change|string $change;

    /** What it is: live, or in the backup where it is only there. */
    public readonly FileType|string $type;

    /** The bytes of the path, hex; only where they are no UTF-8. */
    public readonly ?string $pathHex;

    /**
     * What is not equal; missing where it is on one side only.
     *
     * @var list<Unequal|string>|null
     */
    public readonly ?array $what;

    /** As a restore would make it; missing where the backup lacks it. */
    public readonly ?FileSide $backup;

    /** As it is live; missing where it is not. */
    public readonly ?FileSide $live;

    /** Why it is kept, as a sentence; only with `"change": "kept"`. */
    public readonly ?string $why;

    /** Number of entries in a folder that is kept, itself not counted; only there. */
    public readonly ?int $inside;

    /** Bytes of the files in a folder that is kept; only there. */
    public readonly ?int $bytes;

    public function __construct(Fields $fields)
    {
        $this->path = $fields->text('path');
        $this->change = $fields->word('change', Change::class);
        $this->type = $fields->word('type', FileType::class);
        $this->pathHex = $fields->has('path_hex') ? $fields->text('path_hex') : null;
        $this->what = $fields->has('what') ? $fields->words('what', Unequal::class) : null;
        $this->backup = $fields->has('backup') ? $fields->object('backup', FileSide::class) : null;
        $this->live = $fields->has('live') ? $fields->object('live', FileSide::class) : null;
        $this->why = $fields->has('why') ? $fields->text('why') : null;
        $this->inside = $fields->has('inside') ? $fields->integer('inside') : null;
        $this->bytes = $fields->has('bytes') ? $fields->integer('bytes') : null;
    }
}
