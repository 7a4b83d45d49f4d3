<?php

declare(strict_types=1);

namespace RocketVps\Panel;

use RocketVps\Restore\Answer\ValueShown;

/** Values as people read them, in the forms of the menus. */
final class Text
{
    /** What stands between thousands, and before tenths. */
    private const SEPARATORS = ['vi' => ['.', ',']];

    /** @var array{string, string} */
    private static array $separators = [',', '.'];

    /** Numbers are written as in this language from now on; a process answers one request at a time, in one. */
    public static function speak(string $language): void
    {
        self::$separators = self::SEPARATORS[$language] ?? [',', '.'];
    }

    /** For a page: names are a tenant's, and nothing in them may act, or look like something else. */
    public static function escape(string $text): string
    {
        $text = mb_scrub($text, 'UTF-8');
        // Cc, Cf, Zl, Zp: control characters, bidirectional overrides and the like.
        $text = preg_replace_callback(
            '/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u',
            static fn (array $match): string => match ($match[0]) {
                "\n" => '\n',
                "\r" => '\r',
                "\t" => '\t',
                default => sprintf('\u{%x}', mb_ord($match[0], 'UTF-8')),
            },
            $text,
        );
        return self::attribute($text ?? '');
    }

    /** For the value of a field, which comes back as it is. */
    public static function attribute(string $text): string
    {
        return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE | ENT_HTML5, 'UTF-8');
    }

    /** A value of a row: as the helper writes it. */
    public static function value(ValueShown $value): string
    {
        $more = $value->length === null ? '' : '… (' . self::bytes($value->length) . ')';
        return match (true) {
            $value->hidden === true => '***',
            $value->text !== null => "'$value->text'$more",
            $value->hex !== null => "0x$value->hex$more",
            default => 'NULL',
        };
    }

    public static function bytes(int|float|null $count): string
    {
        if ($count === null) {
            return '-';
        }
        $units = ['B', 'kB', 'MB', 'GB', 'TB'];
        $value = (float) $count;
        $unit = 0;
        while ($value >= 1000.0 && $unit < 4) {
            $value /= 1000.0;
            $unit++;
        }
        return $unit === 0 ? (int) $count . "\u{a0}B" : self::tenths($value) . "\u{a0}$units[$unit]";
    }

    public static function number(int|float|null $count): string
    {
        return $count === null ? '-' : number_format((float) $count, 0, self::$separators[1], self::$separators[0]);
    }

    /** `0.4s`, `2m 05s`, `23h 59m`, `3d 4h`. */
    public static function duration(int|float|null $seconds): string
    {
        if ($seconds === null) {
            return '-';
        }
        $seconds = max(0.0, (float) $seconds);
        $whole = (int) $seconds;
        return match (true) {
            $seconds < 60 => self::tenths($seconds) . 's',
            $seconds < 3600 => sprintf('%dm %02ds', intdiv($whole, 60), $whole % 60),
            $seconds < 172_800 => sprintf('%dh %02dm', intdiv($whole, 3600), intdiv($whole % 3600, 60)),
            default => sprintf('%dd %dh', intdiv($whole, 86_400), intdiv($whole % 86_400, 3600)),
        };
    }

    /** A moment of the engine, to the second: it is local time with or without an offset. */
    public static function moment(?string $time): string
    {
        if ($time === null) {
            return '-';
        }
        return preg_match('/^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)/', $time, $match) === 1 ? "$match[1] $match[2]" : $time;
    }

    /** So many seconds from now, to the minute, in the zone of the engine. */
    public static function deadline(int $seconds, ?string $stamp = null): string
    {
        // Some keep their snapshots for ever.
        $second = min($seconds, 253_402_300_799 - 86_400 - time()) + time();
        return (new \DateTimeImmutable("@$second"))->setTimezone(Zone::of($stamp))->format('Y-m-d H:i');
    }

    private static function tenths(float $value): string
    {
        return number_format($value, 1, self::$separators[1], '');
    }

    /** The word of an enum or of a name that a later engine brought. */
    public static function word(\BackedEnum|string|null $value): string
    {
        return $value instanceof \BackedEnum ? (string) $value->value : (string) $value;
    }
}
