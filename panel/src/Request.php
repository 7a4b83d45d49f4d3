<?php

declare(strict_types=1);

namespace RocketVps\Panel;

/** What the browser asks for. */
final class Request
{
    /**
     * @param array<array-key, mixed> $query
     * @param array<array-key, mixed> $form
     * @param array<array-key, mixed> $server
     */
    public function __construct(
        private readonly array $query,
        private readonly array $form,
        private readonly array $server,
    ) {
    }

    public static function ofPhp(): self
    {
        return new self($_GET, $_POST, $_SERVER);
    }

    public function isPost(): bool
    {
        return ($this->server['REQUEST_METHOD'] ?? 'GET') === 'POST';
    }

    public function isSecure(): bool
    {
        return !in_array(strtolower($this->server('HTTPS')), ['', 'off'], true);
    }

    /** Whether the browser says that another site sent it. */
    public function isForeign(): bool
    {
        return !in_array($this->server('HTTP_SEC_FETCH_SITE'), ['', 'same-origin', 'none'], true);
    }

    /** A field of the address; a list, nothing, and what is no text count as empty. */
    public function query(string $name): string
    {
        return self::text($this->query[$name] ?? '');
    }

    /** The same of a path, which addresses have encoded once more: it may hold what ends a line. */
    public function path(string $name): string
    {
        return self::text(rawurldecode($this->query($name)));
    }

    /** @return array<string, string> the fields of the address, for one that leads here again */
    public function address(): array
    {
        $fields = array_filter($this->query, static fn (mixed $value, int|string $name): bool => is_string($value)
            && !in_array($name, ['page', 'lang', 'note'], true), ARRAY_FILTER_USE_BOTH);
        return array_map(strval(...), $fields);
    }

    public function form(string $name): string
    {
        return self::text($this->form[$name] ?? '');
    }

    /** @return list<string> */
    public function formList(string $name): array
    {
        $values = $this->form[$name] ?? [];
        return is_array($values) ? array_values(array_map(self::text(...), $values)) : [];
    }

    /** @return list<string> the same of paths and names, encoded once more */
    public function paths(string $name): array
    {
        return array_map(static fn (string $path): string => self::text(rawurldecode($path)), $this->formList($name));
    }

    public function number(string $name): int
    {
        return max(0, min((int) $this->query($name), 10_000_000));
    }

    public function server(string $name): string
    {
        return self::text($this->server[$name] ?? '');
    }

    private static function text(mixed $value): string
    {
        return is_string($value) && mb_check_encoding($value, 'UTF-8') ? $value : '';
    }
}
