<?php

declare(strict_types=1);

namespace RocketVps\Panel;

use RocketVps\Restore\Answer\JobStatus;

/** The templates in `views/`, and what they say. Everything that comes from elsewhere goes through one of these functions. */
final class View
{
    public function __construct(
        public readonly Settings $settings,
        public readonly Request $request,
        public readonly Links $links,
        public readonly Words $words,
        private readonly ?Tokens $tokens,
    ) {
        Text::speak($words->language);
    }

    /** @param array<string, mixed> $with variables of the template */
    public function part(string $template, array $with = []): string
    {
        ob_start();
        try {
            (function () use ($template, $with): void {
                extract($with, EXTR_SKIP);
                require dirname(__DIR__) . "/views/$template.php";
            })();
        } finally {
            $text = (string) ob_get_clean();
        }
        return $text;
    }

    /**
     * A whole page.
     *
     * @param string $title plain text
     * @param array<string, mixed> $with `domain` and `tab` show the tabs of a domain, `refresh` reloads without JavaScript
     */
    public function page(string $template, string $title, array $with = [], int $status = 200): Response
    {
        $content = $this->part('frame', ['content' => $this->part($template, $with), 'title' => $title] + $with);
        $document = $this->settings->layout !== null
            ? ($this->settings->layout)($title, $content)
            : $this->part('document', ['content' => $content, 'title' => $title] + $with);
        return new Response($document, $status);
    }

    public function e(string|int|float|null $text): string
    {
        return Text::escape((string) $text);
    }

    public function t(string $key, string|int ...$values): string
    {
        return Text::escape($this->words->say($key, ...$values));
    }

    public function h(string $key, string|int ...$values): string
    {
        return Text::escape($this->words->heading($key, ...$values));
    }

    /** The word of a name that a later engine may have brought. */
    public function word(string $kind, \BackedEnum|string|null $value): string
    {
        $value = Text::word($value);
        return $this->words->has("{$kind}_$value") ? $this->t("{$kind}_$value") : $this->e($value);
    }

    /** @param array<string, string|int|null> $fields */
    public function url(string $page, array $fields = []): string
    {
        return Text::attribute($this->links->to($page, $fields));
    }

    /** The value of a field that comes back as it is: names hold line ends, which browsers change. */
    public function value(string $name): string
    {
        return Text::attribute(rawurlencode($name));
    }

    /** What the engine says, which is in English. */
    public function said(string $text): string
    {
        $text = $this->e($text);
        return $this->words->language === 'en' ? $text : "<span lang=\"en\">$text</span>";
    }

    /**
     * Begins a form that a session may send once.
     *
     * @param string $for what it is about, on a page that reloads by itself
     */
    public function once(string $page, string $for = ''): string
    {
        return $this->form($page, $this->tokens?->once($page, $for) ?? '');
    }

    /** Begins a form that changes nothing but the session, or starts what changes nothing. */
    public function shared(string $page): string
    {
        return $this->form($page, $this->tokens?->shared() ?? '');
    }

    /** The mark of an outcome: sign and word, so that neither colour nor sign has to be seen. */
    public function badge(\BackedEnum|string $outcome): string
    {
        $word = Text::word($outcome);
        $sign = ['pass' => '✓', 'warn' => '!', 'fail' => '✕', 'not_checked' => '–'][$word] ?? '·';
        return '<span class="badge ' . $this->e($word) . '"><span aria-hidden="true">' . $sign . '</span> ' . $this->word('outcome', $outcome) . '</span>';
    }

    public function state(JobStatus|string|\BackedEnum $state): string
    {
        $word = Text::word($state instanceof JobStatus ? $state->state : $state);
        $mood = match ($word) {
            'done' => 'pass',
            'failed', 'needs_operator' => 'fail',
            'rolled_back', 'cancelling', 'rolling_back' => 'warn',
            default => 'active',
        };
        $sign = ['pass' => '✓', 'warn' => '!', 'fail' => '✕', 'active' => '●'][$mood];
        return "<span class=\"badge $mood\"><span aria-hidden=\"true\">$sign</span> " . $this->word('state', $word) . '</span>';
    }

    private function form(string $page, string $token): string
    {
        return '<form method="post" action="' . $this->url($page) . '"><input type="hidden" name="token" value="' . Text::attribute($token) . '">';
    }
}
