<?php

// Works without Composer: Debian's phpunit has no autoloader of this package.
declare(strict_types=1);

require __DIR__ . '/../src/autoload.php';
foreach ([...glob(__DIR__ . '/Fake*.php') ?: [], ...glob(__DIR__ . '/../tools/generator/*.php') ?: []] as $file) {
    require_once $file;
}
