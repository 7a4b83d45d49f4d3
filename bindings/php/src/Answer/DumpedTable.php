<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** A table of the dump. */
final class DumpedTable implements Answer
{
    /** Its name. */
    public readonly string $name;

    /** Rows in INSERT and REPLACE statements. */
    public readonly int $rows;

    /** Bytes of the statements about it. */
    public readonly int $bytes;

    /** `ENGINE=` of its CREATE TABLE; `null` where that says none. */
    public readonly ?string $engine;

    /** Its character set; `null` where its CREATE TABLE says none. */
    public readonly ?string $charset;

    public function __construct(Fields $fields)
    {
        $this->name = $fields->text('name');
        $this->rows = $fields->integer('rows');
        $this->bytes = $fields->integer('bytes');
        $this->engine = $fields->has('engine') ? $fields->text('engine') : null;
        $this->charset = $fields->has('charset') ? $fields->text('charset') : null;
    }
}
