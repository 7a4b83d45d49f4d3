<?php

declare(strict_types=1);

/** A site with its servers, by tests/harness/world.sh, in a temporary folder that everybody can enter. It ends with the process. */
final class World
{
    public const DOMAIN = 'shop.example';
    private const PROGRAM = __DIR__ . '/../../harness/world.sh';

    public readonly string $folder;
    public readonly string $config;

    public function __construct()
    {
        $this->folder = run('mktemp', '-d', '/tmp/rv-php.XXXXXX');
        chmod($this->folder, 0755);
        $this->config = "$this->folder/w/restore.toml";
        $owner = getmypid();
        register_shutdown_function(function () use ($owner): void {
            // Not in a child.
            if (getmypid() === $owner) {
                exec(escapeshellarg(self::PROGRAM) . ' down ' . escapeshellarg("$this->folder/w"));
                exec('rm -rf ' . escapeshellarg($this->folder));
            }
        });
        $this->does('up');
    }

    /** Runs a command of world.sh. */
    public function does(string $command, string ...$words): string
    {
        return run(self::PROGRAM, $command, "$this->folder/w", ...$words);
    }

    public function digest(): string
    {
        return $this->does('digest');
    }

    /** Copies the installed package to where every account can read it, and gives its autoloader. */
    public function package(string $prefix): string
    {
        run('cp', '-r', "$prefix/share/php/RocketVps", "$this->folder/RocketVps");
        run('chmod', '-R', 'a+rX', "$this->folder/RocketVps");
        return "$this->folder/RocketVps/Restore/autoload.php";
    }
}
