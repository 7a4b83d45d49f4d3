<?php

declare(strict_types=1);

namespace RocketVps\Panel;

/** The words of the page: the catalogue of the menus, `lang/en.txt` and `lang/vi.txt`, with `key=text` and %s for what is put in. */
final class Words
{
    public const LANGUAGES = ['en' => 'English', 'vi' => 'Tiếng Việt'];

    /** @var array<string, string> */
    private array $words = [];

    public function __construct(public readonly string $language)
    {
        $lines = file(dirname(__DIR__) . "/lang/$language.txt", FILE_IGNORE_NEW_LINES);
        foreach ($lines === false ? [] : $lines as $line) {
            if (preg_match('/^([a-z][a-z0-9_]*)=(.*)$/', $line, $match) === 1) {
                $this->words[$match[1]] = $match[2];
            }
        }
    }

    /** The language of the settings, else the one that was chosen, else the browser's. */
    public static function choose(Settings $settings, Request $request, Session $session): self
    {
        $language = $settings->language;
        if ($language === null) {
            if (isset(self::LANGUAGES[$request->query('lang')])) {
                $session->set('language', $request->query('lang'));
            }
            $language = $session->get('language') ?? (preg_match('/^\s*vi\b/i', $request->server('HTTP_ACCEPT_LANGUAGE')) === 1 ? 'vi' : 'en');
        }
        return new self(is_string($language) && isset(self::LANGUAGES[$language]) ? $language : 'en');
    }

    public function has(string $key): bool
    {
        return isset($this->words[$key]);
    }

    public function say(string $key, string|int ...$values): string
    {
        $text = $this->words[$key] ?? $key;
        return $values === [] && !str_contains($text, '%') ? $text : vsprintf($text, $values);
    }

    /** A heading of the menus, which are in capitals, as a page has it. */
    public function heading(string $key, string|int ...$values): string
    {
        $text = $this->words[$key] ?? $key;
        $text = mb_strtolower($text);
        $text = mb_strtoupper(mb_substr($text, 0, 1)) . mb_substr($text, 1);
        return $values === [] ? $text : vsprintf($text, $values);
    }
}
