<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Request;

/**
 * A backup that another program made: an archive, a folder, one file of a set, or a dump. For callers with the rights
 * of root alone.
 */
final class Import implements Request
{
    /**
     * @param string $from Absolute path of it.
     * @param string|null $dump Its dump: an absolute path of a file, or a path inside the backup; left out: the one
     * that is in it.
     * @param string|null $root The folder inside it that is the document root; empty: its top. Left out: the one that
     * holds a site.
     * @param string|null $site Which of the sites in it, by its domain, or which database of its dump; left out: the
     * one of this domain, or the only one.
     * @param string|null $prefix What the names of its tables begin with (`wp_`): these alone are restored, and begin
     * as the live site's then. Left out: all of the dump, as the backup says it.
     * @param string|null $passwordFile Absolute path of a file whose first line is the password of what is encrypted in
     * it. Nobody but root may be able to write to it.
     */
    public function __construct(
        public readonly string $from,
        public readonly ?string $dump = null,
        public readonly ?string $root = null,
        public readonly ?string $site = null,
        public readonly ?string $prefix = null,
        public readonly ?string $passwordFile = null,
    ) {
    }

    public function jsonSerialize(): object
    {
        return (object) array_filter([
            'from' => $this->from,
            'dump' => $this->dump,
            'root' => $this->root,
            'site' => $this->site,
            'prefix' => $this->prefix,
            'password_file' => $this->passwordFile,
        ], static fn (mixed $value): bool => $value !== null);
    }
}
