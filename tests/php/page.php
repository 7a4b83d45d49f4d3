<?php

// A page of a panel: lists the backups over the transport that `transport` names. Its environment is in the query.
declare(strict_types=1);

use RocketVps\Restore\Client;
use RocketVps\Restore\FfiTransport;
use RocketVps\Restore\LibraryTransport;
use RocketVps\Restore\ProcessTransport;
use RocketVps\Restore\Request\ConfigSettings;
use RocketVps\Restore\Request\DomainRequest;
use RocketVps\Restore\Request\RestoreRequest;
use RocketVps\Restore\SocketTransport;

require $_GET['autoload'];
if (isset($_GET['open_basedir'])) {
    ini_set('open_basedir', $_GET['open_basedir']);
}
header('Content-Type: application/json');
try {
    $broker = new ConfigSettings(['paths' => ['broker' => $_GET['socket']]], $_GET['config']);
    $client = match ($_GET['transport']) {
        'socket' => new Client(new SocketTransport($_GET['socket'], 'mai')),
        'ffi' => new Client(FfiTransport::preloaded(), $broker),
        'ffi_load' => new Client(new LibraryTransport(), $broker),
        'process' => new Client(new ProcessTransport($_GET['helper']), $broker),
    };
    if (($_GET['do'] ?? '') === 'restore') {
        $answer = $client->restoreStart(new RestoreRequest('shop.example'))->job;
    } elseif (($_GET['do'] ?? '') === 'state') {
        $status = $client->restorePoll(new RocketVps\Restore\Request\JobRequest($_GET['job']));
        $answer = $status->state->value ?? $status->state;
    } else {
        $answer = count($client->listBackups(new DomainRequest('shop.example'))->backups);
    }
    echo json_encode(['user' => posix_getpwuid(posix_geteuid())['name'], 'pid' => getmypid(), 'answer' => $answer]);
} catch (Throwable $exception) {
    echo json_encode(['exception' => get_class($exception), 'message' => $exception->getMessage(), 'name' => $exception->name ?? null]);
}
