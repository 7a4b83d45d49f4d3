<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

use RocketVps\Restore\Enum\Priority;
use RocketVps\Restore\Enum\Risk;

/** How a restore behaves. */
final class Options implements Request
{
    /**
     * @param Priority|string|null $priority CPU and I/O priority of the worker. By default "polite".
     * @param bool|null $allowUnsafeConfig Restore configuration that the guard refuses; for the administrator, and
     * logged. By default false.
     * @param bool|null $exact An exact replica: nothing is kept that the backup does not hold, even where its writer
     * leaves things out. By default false.
     * @param bool|null $keepDatabaseSettings The configuration in another program's backup gets the database settings
     * of the live site; left out: it does.
     * @param bool|null $allowOrphans Take selected tables although rows would refer to rows that are not there. By
     * default false.
     * @param CompatibilityActions|null $compatibility What is done about what the server would not take of the dump.
     * @param bool|null $checksum A comparison with the live site reads every content, also where size and time are
     * equal. By default false.
     * @param list<Risk|string>|null $accept What a check found that stops a restore until somebody accepts it, by the
     * name of the check.
     * @param bool|null $rehearsal Ask the staged site for pages before it is live, and stop where it does not work. By
     * default true.
     * @param list<Probe>|null $probes Pages that have to come, in the rehearsal and from the live site, besides those
     * that restore.toml names; at most 20.
     * @param list<KeepRows>|null $keepRows Tables whose live rows that are newer than the backup's are kept: orders,
     * users, comments; at most 100.
     */
    public function __construct(
        public readonly Priority|string|null $priority = null,
        public readonly ?bool $allowUnsafeConfig = null,
        public readonly ?bool $exact = null,
        public readonly ?bool $keepDatabaseSettings = null,
        public readonly ?bool $allowOrphans = null,
        public readonly ?CompatibilityActions $compatibility = null,
        public readonly ?bool $checksum = null,
        public readonly ?array $accept = null,
        public readonly ?bool $rehearsal = null,
        public readonly ?array $probes = null,
        public readonly ?array $keepRows = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'priority' => $this->priority,
            'allow_unsafe_config' => $this->allowUnsafeConfig,
            'exact' => $this->exact,
            'keep_database_settings' => $this->keepDatabaseSettings,
            'allow_orphans' => $this->allowOrphans,
            'compatibility' => $this->compatibility,
            'checksum' => $this->checksum,
            'accept' => $this->accept,
            'rehearsal' => $this->rehearsal,
            'probes' => $this->probes,
            'keep_rows' => $this->keepRows,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
