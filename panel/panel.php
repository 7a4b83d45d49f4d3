<?php

// The one file that a host panel requires: it finds the classes of the page and those of the engine's client.
declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'RocketVps\\Panel\\')) {
        $file = __DIR__ . '/src/' . strtr(substr($class, strlen('RocketVps\\Panel\\')), '\\', '/') . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});

if (!class_exists(RocketVps\Restore\Client::class)) {
    // In the project, and where it is installed: share/rocketvps-restore/panel beside share/php.
    foreach ([dirname(__DIR__) . '/bindings/php/src', dirname(__DIR__, 2) . '/php/RocketVps/Restore'] as $folder) {
        if (is_file("$folder/autoload.php")) {
            require "$folder/autoload.php";
            break;
        }
    }
}
