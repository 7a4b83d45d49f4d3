<?php

declare(strict_types=1);

namespace RocketVps\Panel;

use RocketVps\Restore\Client;
use RocketVps\Restore\SocketTransport;

/** What the host panel says about the page: who asks, and what he may see. Whatever is not said is denied. */
final class Settings
{
    /**
     * @param string $user the signed-in user, as the host panel knows him; empty: nobody, and nothing is shown
     * @param list<string> $domains the domains that he may see and restore; `*.example.com` and `*` work as in access.toml
     * @param string|null $language `en` or `vi`; null: the browser's, and a switch on the page
     * @param string|null $base path of the page, such as `/restore`; null: that of the script
     * @param bool $paths addresses as `/restore/job?…` instead of `/restore?page=job&…`
     * @param string|null $assets address of the folder `public`; null: the page answers with its own CSS and JavaScript
     * @param string $socket the broker's
     * @param int|null $owner user id of the broker: another's socket is not asked; null: anybody's is
     * @param string|null $cache folder for what watchers of a job share; null: one below the folder of temporary files
     * @param int $streams live streams at once; each holds a worker of PHP-FPM. More watchers poll instead
     * @param int $streamSeconds seconds until a stream ends and the browser asks again
     * @param Client|null $client another way to the engine than the broker's socket
     * @param (\Closure(string): list<array{time: string, user: string, call: string, outcome: string}>)|null $audit
     *        who asked for what of a domain, newest first: the page shows 200. The broker tells it to those whose rule has
     *        `audit` (docs/panel.md has the lines for that); left out: no such page
     * @param (\Closure(string, string): string)|null $layout the host's own document around title and content
     */
    public function __construct(
        public readonly string $user,
        public readonly array $domains,
        public readonly ?string $language = null,
        public readonly ?string $base = null,
        public readonly bool $paths = false,
        public readonly ?string $assets = null,
        public readonly string $socket = SocketTransport::SOCKET,
        public readonly ?int $owner = 0,
        public readonly ?string $cache = null,
        public readonly int $streams = 2,
        public readonly int $streamSeconds = 25,
        public readonly ?Client $client = null,
        public readonly ?\Closure $audit = null,
        public readonly ?\Closure $layout = null,
    ) {
    }

    public function allows(string $domain): bool
    {
        foreach ($this->domains as $pattern) {
            if ($pattern === '*' || $pattern === $domain) {
                return true;
            }
            if (str_starts_with($pattern, '*.') && str_ends_with($domain, substr($pattern, 1))) {
                return true;
            }
        }
        return false;
    }
}
