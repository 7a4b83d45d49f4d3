<?php

// For opcache.preload: the code that uses FFI has to be preloaded where `ffi.enable=preload`. The library itself is
// preloaded by ffi.preload, since FFI::load() does not work under opcache.preload_user, which PHP-FPM needs.
declare(strict_types=1);

require_once __DIR__ . '/Transport.php';
require_once __DIR__ . '/Exception/RestoreException.php';
require_once __DIR__ . '/Exception/TransportException.php';
require_once __DIR__ . '/FfiTransport.php';
