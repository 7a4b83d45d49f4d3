<?php

declare(strict_types=1);

/** `rocketvps-restore serve` over a world. It ends with the process. */
final class Broker
{
    public readonly string $socket;

    public function __construct(World $world, string $helper, string $rules)
    {
        $run = "$world->folder/run";
        mkdir($run, 0755);
        $this->socket = "$run/broker.sock";
        $access = "$world->folder/w/base/config/access.toml";
        if (!is_dir(dirname($access))) {
            mkdir(dirname($access), 0755, true);
        }
        file_put_contents($access, $rules);
        // Whoever may not read it goes through the broker.
        chmod($world->config, 0600);
        $words = [$helper, '--config', $world->config, '--set', "paths.broker=$this->socket", 'serve'];
        $process = proc_open($words, [['file', '/dev/null', 'r'], ['file', "$run/broker.log", 'a'], ['file', "$run/broker.log", 'a']], $pipes);
        $pid = proc_get_status($process)['pid'];
        $owner = getmypid();
        register_shutdown_function(static function () use ($owner, $pid): void {
            if (getmypid() === $owner) {
                posix_kill($pid, SIGTERM);
            }
        });
        if (!becomes(fn (): bool => @stream_socket_client("unix://$this->socket") !== false)) {
            throw new RuntimeException('the broker does not listen: ' . file_get_contents("$run/broker.log"));
        }
    }
}
