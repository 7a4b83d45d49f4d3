<?php

declare(strict_types=1);

namespace RocketVps\Panel;

/**
 * What the page remembers of a browser: in PHP's session, below one key. The host's session is used where it runs already.
 */
final class Session
{
    private const KEY = 'rocketvps_restore';

    public static function open(Settings $settings, Request $request, Links $links): self
    {
        if (session_status() !== PHP_SESSION_ACTIVE) {
            session_name('rv_panel');
            session_set_cookie_params([
                'path' => $links->folder(),
                'httponly' => true,
                // A link from elsewhere would begin another session in the place of this one; what changes something is no link.
                'samesite' => 'Lax',
                'secure' => $request->isSecure(),
            ]);
            session_start(['use_strict_mode' => true, 'use_only_cookies' => true, 'cache_limiter' => '']);
        }
        // Another user in the same browser begins with nothing.
        if (($_SESSION[self::KEY]['user'] ?? null) !== $settings->user) {
            $_SESSION[self::KEY] = ['user' => $settings->user];
        }
        return new self();
    }

    private function __construct()
    {
    }

    public function get(string $name): mixed
    {
        return $_SESSION[self::KEY][$name] ?? null;
    }

    public function set(string $name, mixed $value): void
    {
        $_SESSION[self::KEY][$name] = $value;
    }

    /** An array of the session, with its newest entries only. */
    public function put(string $name, string $key, mixed $value, int $most): void
    {
        $all = (array) $this->get($name);
        unset($all[$key]);
        $all[$key] = $value;
        $this->set($name, array_slice($all, -$most, null, true));
    }

    public function take(string $name, string $key): mixed
    {
        $all = (array) $this->get($name);
        $value = $all[$key] ?? null;
        unset($all[$key]);
        $this->set($name, $all);
        return $value;
    }

    /** Writes it down and lets the browser's other requests go on. */
    public function close(): void
    {
        if (session_status() === PHP_SESSION_ACTIVE) {
            session_write_close();
        }
    }
}
