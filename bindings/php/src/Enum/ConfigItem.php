<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Enum;

/** The items of a site's configuration, as they are selected in a request. */
enum ConfigItem: string
{
    /** nginx site and its enabled link. */
    case Nginx = 'nginx';
    /** PHP-FPM pool. */
    case PhpFpm = 'php_fpm';
    /** Certificates and keys. */
    case Ssl = 'ssl';
    /** cron.d file. */
    case Cron = 'cron';
}
