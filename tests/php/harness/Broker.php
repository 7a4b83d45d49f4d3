<?php

declare(strict_types=1);

/** `rocketvps-restore serve` over a world. It ends with the process. */
final class Broker
{
    public readonly string $socket;
    private readonly string $access;

    public function __construct(World $world, string $helper, string $rules)
    {
        // Not in the world, which lies in /tmp: the package asks no socket below a folder that others may write to.
        $run = run('mktemp', '-d', '/run/rv-php.XXXXXX');
        chmod($run, 0755);
        $this->socket = "$run/broker.sock";
        $this->access = "$world->folder/w/base/config/access.toml";
        if (!is_dir(dirname($this->access))) {
            mkdir(dirname($this->access), 0755, true);
        }
        $this->obey($rules);
        // Whoever may not read it goes through the broker.
        chmod($world->config, 0600);
        $words = [$helper, '--config', $world->config, '--set', "paths.broker=$this->socket", 'serve'];
        $process = proc_open($words, [['file', '/dev/null', 'r'], ['file', "$run/broker.log", 'a'], ['file', "$run/broker.log", 'a']], $pipes);
        $pid = proc_get_status($process)['pid'];
        $owner = getmypid();
        register_shutdown_function(static function () use ($owner, $pid, $run): void {
            if (getmypid() === $owner) {
                posix_kill($pid, SIGTERM);
                exec('rm -rf ' . escapeshellarg($run));
            }
        });
        if (!becomes(fn (): bool => @stream_socket_client("unix://$this->socket") !== false)) {
            throw new RuntimeException('the broker does not listen: ' . file_get_contents("$run/broker.log"));
        }
    }

    /** From now on: the file is read for each request. */
    public function obey(string $rules): void
    {
        file_put_contents($this->access, $rules);
    }
}
