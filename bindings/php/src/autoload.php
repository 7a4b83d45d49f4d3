<?php

// For programs without Composer: require 'RocketVps/Restore/autoload.php';
declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'RocketVps\\Restore\\')) {
        $file = __DIR__ . '/' . strtr(substr($class, strlen('RocketVps\\Restore\\')), '\\', '/') . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
