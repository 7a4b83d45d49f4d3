<?php

declare(strict_types=1);

namespace RocketVps\Panel;

/**
 * Says that a form is one of ours, for this session. A form that changes something has a token of its own that counts once;
 * the others share one.
 */
final class Tokens
{
    /** Forms that change something and may be open at once. */
    private const MOST = 100;

    public function __construct(private readonly Session $session)
    {
    }

    public function shared(): string
    {
        $token = $this->session->get('token');
        if (!is_string($token)) {
            $token = bin2hex(random_bytes(16));
            $this->session->set('token', $token);
        }
        return $token;
    }

    /**
     * @param string $page what the form is for: it is good for nothing else
     * @param string $for  of a page that reloads by itself: it has the same token until that is used
     */
    public function once(string $page, string $for = ''): string
    {
        $known = ((array) $this->session->get('reloading'))[$for] ?? null;
        if ($for !== '' && is_string($known) && (((array) $this->session->get('once'))[$known] ?? null) === $page) {
            return $known;
        }
        $token = bin2hex(random_bytes(16));
        $this->session->put('once', $token, $page, self::MOST);
        if ($for !== '') {
            $this->session->put('reloading', $for, $token, self::MOST);
        }
        return $token;
    }

    public function isShared(string $token): bool
    {
        return hash_equals($this->shared(), $token);
    }

    /** Whether it is one of ours for this page and has not been used; it is used now. */
    public function use(string $token, string $page): bool
    {
        return $token !== '' && $this->session->take('once', $token) === $page;
    }
}
