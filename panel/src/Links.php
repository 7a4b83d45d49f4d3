<?php

declare(strict_types=1);

namespace RocketVps\Panel;

/** Addresses of the pages, and which page an address is of. */
final class Links
{
    private readonly string $base;

    public function __construct(private readonly Settings $settings, private readonly Request $request)
    {
        $script = $request->server('SCRIPT_NAME');
        $base = $settings->base ?? (str_ends_with($script, '/index.php') ? substr($script, 0, -9) : $script);
        $this->base = $settings->paths ? rtrim($base, '/') : ($base === '' ? '/' : $base);
    }

    /** The path that the session's cookie is sent to. */
    public function folder(): string
    {
        return $this->base === '' ? '/' : $this->base;
    }

    /** Name of the page that is asked for, empty for the first; null where the address is none of ours. */
    public function page(): ?string
    {
        $path = explode('?', $this->request->server('REQUEST_URI'), 2)[0];
        if (!$this->settings->paths) {
            // Without a base the host has decided that the request is for us.
            return $this->settings->base === null || rtrim($path, '/') === rtrim($this->base, '/') ? $this->request->query('page') : null;
        }
        return str_starts_with("$path/", "$this->base/") ? trim(substr($path, strlen($this->base)), '/') : null;
    }

    /** @param array<string, string|int|null> $fields those that are null are left out */
    public function to(string $page, array $fields = []): string
    {
        $fields = array_filter($fields, static fn (mixed $value): bool => $value !== null);
        if ($this->settings->paths) {
            $address = "$this->base/$page";
        } else {
            $address = $this->base;
            $fields = ($page === '' ? [] : ['page' => $page]) + $fields;
        }
        return $address . ($fields === [] ? '' : '?' . http_build_query($fields, '', '&', PHP_QUERY_RFC3986));
    }

    public function asset(string $name): string
    {
        if ($this->settings->assets !== null) {
            return rtrim($this->settings->assets, '/') . "/$name";
        }
        // Another version is another address: the old one is kept by browsers.
        return $this->to('asset', ['name' => $name, 'v' => substr(hash_file('sha256', Page\Asset::file($name)) ?: '', 0, 8)]);
    }
}
