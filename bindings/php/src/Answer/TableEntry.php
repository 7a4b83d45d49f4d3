<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

use RocketVps\Restore\Enum\Change;
use RocketVps\Restore\Enum\DefinitionWord;
use RocketVps\Restore\Enum\TableKind;

/** A table, view, routine, trigger or event that a restore would change or keep. */
final class TableEntry implements Answer
{
    /** What it is. */
    public readonly TableKind|string $kind;

    /** Its name. */
    public readonly string $name;

    /** What a restore would do with it. */
    public readonly Change|string $change;

    /** Its rows; only of tables. */
    public readonly ?RowCounts $rows;

    /** Bytes of its live data and indexes; only of live tables. */
    public readonly ?int $bytesLive;

    /** Why it is kept, as a sentence; only of tables that are kept. */
    public readonly ?string $why;

    /** How its definitions differ; only of tables that change. */
    public readonly DefinitionDiff|DefinitionWord|string|null $definition;

    /** How its rows differ; only of tables whose rows were compared. */
    public readonly ?RowCountsChanged $rowChanges;

    /** Why its rows were not compared, although that was asked for; only there. */
    public readonly ?string $rowsNotCompared;

    public function __construct(Fields $fields)
    {
        $this->kind = $fields->word('kind', TableKind::class);
        $this->name = $fields->text('name');
        $this->change = $fields->word('change', Change::class);
        $this->rows = $fields->has('rows') ? $fields->object('rows', RowCounts::class) : null;
        $this->bytesLive = $fields->has('bytes_live') ? $fields->integer('bytes_live') : null;
        $this->why = $fields->has('why') ? $fields->text('why') : null;
        $this->definition = $fields->has('definition') ? $fields->objectOrWord('definition', DefinitionDiff::class, DefinitionWord::class) : null;
        $this->rowChanges = $fields->has('row_changes') ? $fields->object('row_changes', RowCountsChanged::class) : null;
        $this->rowsNotCompared = $fields->has('rows_not_compared') ? $fields->text('rows_not_compared') : null;
    }
}
