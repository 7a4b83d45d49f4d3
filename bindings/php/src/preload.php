<?php

// For opcache.preload: the code that uses FFI has to be preloaded where `ffi.enable=preload`. The library itself is
// preloaded by ffi.preload, since FFI::load() does not work under opcache.preload_user, which PHP-FPM needs.
//
// What is preloaded here looks for no class that is not. PHP would ask the page's autoloader in the name of preloaded code,
// and that can be FFI::load() itself, which opens a file by the name of the class. So every exception is here.
declare(strict_types=1);

require_once __DIR__ . '/Transport.php';
require_once __DIR__ . '/Exception/RestoreException.php';
foreach (['Request', 'Backup', 'Database', 'Storage', 'Service', 'Outcome', 'Transport'] as $kind) {
    require_once __DIR__ . "/Exception/{$kind}Exception.php";
}
require_once __DIR__ . '/LibraryFunctions.php';
require_once __DIR__ . '/FfiTransport.php';
