<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What an nginx site says. */
final class NginxSite implements Alternative
{
    /**
     * Names it answers to.
     *
     * @var list<string>
     */
    public readonly array $serverNames;

    /**
     * Addresses it listens on, as written.
     *
     * @var list<string>
     */
    public readonly array $listen;

    /**
     * Document roots.
     *
     * @var list<string>
     */
    public readonly array $roots;

    /**
     * Where PHP requests go, as written.
     *
     * @var list<string>
     */
    public readonly array $fastcgi;

    /**
     * Paths of the certificates it uses.
     *
     * @var list<string>
     */
    public readonly array $certificates;

    public function __construct(Fields $fields)
    {
        $this->serverNames = $fields->texts('server_names');
        $this->listen = $fields->texts('listen');
        $this->roots = $fields->texts('roots');
        $this->fastcgi = $fields->texts('fastcgi');
        $this->certificates = $fields->texts('certificates');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('server_names', 'listen', 'roots', 'fastcgi', 'certificates');
    }
}
