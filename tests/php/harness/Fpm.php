<?php

declare(strict_types=1);

/** A PHP-FPM of its own with a pool of www-data. It ends with the process. */
final class Fpm
{
    public readonly string $socket;
    public readonly int $pid;
    private readonly string $log;

    /**
     * @param array<string, string> $settings of php.ini
     * @param array<string, string> $environment of the master, which clears it for its workers
     */
    public function __construct(string $folder, string $name, array $settings, array $environment, int $maxRequests)
    {
        $this->socket = "$folder/$name.sock";
        $this->log = "$folder/$name.log";
        file_put_contents("$folder/$name.conf", <<<CONF
            [global]
            error_log = $this->log
            daemonize = no
            ; A reload lets pages end that are at work.
            process_control_timeout = 20
            [www]
            user = www-data
            group = www-data
            listen = $this->socket
            listen.mode = 0600
            pm = static
            pm.max_children = 2
            pm.max_requests = $maxRequests
            catch_workers_output = yes
            CONF);
        $programs = glob('/usr/sbin/php-fpm*') ?: throw new RuntimeException('no PHP-FPM; run scripts/install-deps.sh');
        $words = [end($programs), '--nodaemonize', '--fpm-config', "$folder/$name.conf"];
        foreach ($settings as $key => $value) {
            array_push($words, '-d', "$key=$value");
        }
        $process = proc_open($words, [['file', '/dev/null', 'r'], ['file', $this->log, 'a'], ['file', $this->log, 'a']], $pipes, null, $environment + getenv());
        $this->pid = proc_get_status($process)['pid'];
        $owner = getmypid();
        register_shutdown_function(function () use ($owner): void {
            if (getmypid() === $owner) {
                posix_kill($this->pid, SIGTERM);
            }
        });
        if (!$this->listens()) {
            throw new RuntimeException("PHP-FPM does not listen:\n" . $this->log());
        }
    }

    /** SIGUSR2, as systemd's reload sends it: the master executes itself anew. Whether it did, and began to work. */
    public function reload(): bool
    {
        $count = fn (): int => substr_count($this->log(), 'ready to handle connections');
        $before = $count();
        posix_kill($this->pid, SIGUSR2);
        return becomes(static fn (): bool => $count() > $before, 40);
    }

    private function listens(): bool
    {
        return becomes(fn (): bool => @stream_socket_client("unix://$this->socket") !== false);
    }

    public function log(): string
    {
        return (string) file_get_contents($this->log);
    }
}
