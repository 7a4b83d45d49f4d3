<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Change;
use RocketVps\Restore\Enum\ConfigItem;

/** A configuration file of the backup or of the live site. */
final class ConfigEntry implements Answer
{
    /** What it configures. */
    public readonly ConfigItem|string $item;

    /** Its name in the backup, without folders; of a live one its file name. */
    public readonly string $name;

    /** Absolute path where it belongs; missing when it has no place on this machine, or is too large. */
    public readonly ?string $target;

    /** What a restore would do with it. */
    public readonly Change|string $change;

    /** Why it is kept, as a sentence; only with `"change": "kept"`. */
    public readonly ?string $why;

    /** Bytes of a file that is too large to be compared; only there. */
    public readonly ?int $tooLarge;

    /** Why it has no place on this machine, as a sentence; only there. */
    public readonly ?string $problem;

    /** Number of lines that differ; only of text. */
    public readonly ?LineCounts $lines;

    /**
     * A unified diff, at most 200 lines: `-` before what is live, `+` before what the backup has, secrets as `***`.
     * Only of text.
     *
     * @var list<string>|null
     */
    public readonly ?array $diff;

    /** Number of lines of the diff that are not shown; only of text. */
    public readonly ?int $moreLines;

    /** Bytes of both sides; only of files that are no text. */
    public readonly ?BinarySizes $binary;

    /** What the certificate or key of the backup is; only of certificates and keys. */
    public readonly PemContent|PemProblem|Other|null $backup;

    /** What the live one is; only of certificates and keys that change. */
    public readonly PemContent|PemProblem|Other|null $live;

    public function __construct(Fields $fields)
    {
        $this->item = $fields->word('item', ConfigItem::class);
        $this->name = $fields->text('name');
        $this->target = $fields->has('target') ? $fields->text('target') : null;
        $this->change = $fields->word('change', Change::class);
        $this->why = $fields->has('why') ? $fields->text('why') : null;
        $this->tooLarge = $fields->has('too_large') ? $fields->integer('too_large') : null;
        $this->problem = $fields->has('problem') ? $fields->text('problem') : null;
        $this->lines = $fields->has('lines') ? $fields->object('lines', LineCounts::class) : null;
        $this->diff = $fields->has('diff') ? $fields->texts('diff') : null;
        $this->moreLines = $fields->has('more_lines') ? $fields->integer('more_lines') : null;
        $this->binary = $fields->has('binary') ? $fields->object('binary', BinarySizes::class) : null;
        $this->backup = $fields->has('backup') ? $fields->oneOf('backup', [PemContent::class, PemProblem::class]) : null;
        $this->live = $fields->has('live') ? $fields->oneOf('live', [PemContent::class, PemProblem::class]) : null;
    }
}
