<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tests;

/**
 * A Unix socket in a folder of its own; a child process serves its connections until the object is destroyed.
 *
 * The folder lies where nobody else may write, since the transport asks no other.
 */
final class FakeBroker
{
    public readonly string $socket;
    public readonly string $folder;
    private int $child;

    /** @param \Closure(resource): void $serve what is done with each connection */
    public function __construct(\Closure $serve)
    {
        $run = posix_geteuid() === 0 ? '/run' : (getenv('XDG_RUNTIME_DIR') ?: sys_get_temp_dir());
        $this->folder = "$run/rv-broker-" . bin2hex(random_bytes(6));
        mkdir($this->folder, 0700);
        $this->socket = "$this->folder/socket";
        $server = stream_socket_server("unix://$this->socket") ?: throw new \RuntimeException('no socket');
        $this->child = pcntl_fork();
        if ($this->child === 0) {
            // A test that hangs must not leave it behind.
            pcntl_alarm(60);
            while (true) {
                $stream = @stream_socket_accept($server, 60);
                if ($stream !== false) {
                    $serve($stream);
                    fclose($stream);
                }
            }
        }
        fclose($server);
    }

    public function __destruct()
    {
        posix_kill($this->child, SIGKILL);
        pcntl_waitpid($this->child, $status);
        unlink($this->socket);
        rmdir($this->folder);
    }
}
