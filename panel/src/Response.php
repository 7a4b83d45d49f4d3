<?php

declare(strict_types=1);

namespace RocketVps\Panel;

/** What the browser gets. */
final class Response
{
    // Nothing runs and nothing is loaded that is not a file of the page.
    private const HEADERS = [
        'Content-Security-Policy' => "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
            . "form-action 'self'; frame-ancestors 'self'; base-uri 'none'",
        'X-Content-Type-Options' => 'nosniff',
        'X-Frame-Options' => 'SAMEORIGIN',
        'Referrer-Policy' => 'no-referrer',
        'Cross-Origin-Opener-Policy' => 'same-origin',
        'Cross-Origin-Resource-Policy' => 'same-origin',
        'Cache-Control' => 'no-store',
        'Content-Type' => 'text/html; charset=utf-8',
    ];

    /**
     * @param array<string, string> $headers besides those of every answer, or in their place
     * @param (\Closure(): void)|null $stream writes the rest of the body by and by
     */
    public function __construct(
        public readonly string $body = '',
        public readonly int $status = 200,
        public readonly array $headers = [],
        public readonly ?\Closure $stream = null,
    ) {
    }

    /** After a POST: the browser asks for the page with GET, so that a reload sends nothing twice. */
    public static function to(string $address): self
    {
        return new self('', 303, ['Location' => $address]);
    }

    /** @return array<string, string> */
    public function allHeaders(): array
    {
        return $this->headers + self::HEADERS;
    }

    public function send(): void
    {
        http_response_code($this->status);
        header_remove('X-Powered-By');
        foreach ($this->allHeaders() as $name => $value) {
            header("$name: $value");
        }
        echo $this->body;
        if ($this->stream !== null) {
            ($this->stream)();
        }
    }
}
