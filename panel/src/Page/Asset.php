<?php

declare(strict_types=1);

namespace RocketVps\Panel\Page;

use RocketVps\Panel\Response;

/** CSS, JavaScript and icon of the page, where the host's web server does not serve the folder `public`. */
final class Asset
{
    private const TYPES = [
        'panel.css' => 'text/css; charset=utf-8',
        'panel.js' => 'text/javascript; charset=utf-8',
        'panel.svg' => 'image/svg+xml',
    ];

    public static function file(string $name): string
    {
        return dirname(__DIR__, 2) . "/public/$name";
    }

    public function of(string $name): Response
    {
        if (!isset(self::TYPES[$name])) {
            return new Response('', 404);
        }
        return new Response((string) file_get_contents(self::file($name)), 200, [
            'Content-Type' => self::TYPES[$name],
            'Cache-Control' => 'public, max-age=31536000, immutable',
        ]);
    }
}
