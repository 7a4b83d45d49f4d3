<?php

// Who asks, for the tests: by a header that another site cannot make a browser send.
declare(strict_types=1);

use RocketVps\Restore\Client;
use RocketVps\Restore\SocketTransport;
use RocketVps\Restore\Transport;

$domains = [
    'an' => ['shop.example', '*.shop.example'],
    'binh' => ['neighbour.example'],
    'chi' => ['shop.example'],
    '<b>operator</b>' => ['*'],
];
$user = rawurldecode($_SERVER['HTTP_X_TEST_USER'] ?? '');
$socket = $_SERVER['RV_PANEL_SOCKET'];
$folder = sys_get_temp_dir();

/** The broker of a site with a finding that has to be accepted. */
final class Finding implements Transport
{
    public function __construct(private readonly Transport $broker, private readonly string $folder)
    {
    }

    public function call(string $call, string $request, bool $waits = false): string
    {
        $answer = $this->broker->call($call, $request, $waits);
        $document = json_decode($answer, true);
        if ($call === 'validate' && !str_contains($request, 'change_over')) {
            touch("$this->folder/finding-{$document['data']['job']}");
        }
        if ($call === 'restore_poll' && is_file("$this->folder/finding-{$document['data']['job']}") && isset($document['data']['result']['groups'])) {
            $document['data']['result']['outcome'] = 'fail';
            $document['data']['result']['groups'][3]['outcome'] = 'fail';
            $document['data']['result']['groups'][3]['checks'][] = ['name' => 'change_over', 'outcome' => 'fail',
                'message' => 'a query of <b>shop</b> runs for 90 s: the change-over would wait for it'];
            return (string) json_encode($document);
        }
        return $answer;
    }
}

return new RocketVps\Panel\Settings(
    user: isset($domains[$user]) ? $user : '',
    domains: $domains[$user] ?? [],
    base: '/restore',
    paths: ($_SERVER['HTTP_X_TEST_PATHS'] ?? '') !== '',
    socket: $socket,
    streamSeconds: 3,
    client: $user === 'chi' ? new Client(new Finding(new SocketTransport($socket, onBehalf: $user), $folder)) : null,
    audit: $user === 'chi' ? static fn (string $domain): array => [
        ['time' => '2026-01-02T03:04:05+00:00', 'user' => '<i>mallory</i>', 'call' => 'restore_start', 'outcome' => 'forbidden'],
    ] : null,
);
