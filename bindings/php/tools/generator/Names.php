<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tools;

/** How the names of the schema are written in PHP. */
final class Names
{
    /** By the end of the name, the longest first. */
    private const UNITS = ['_mb_s' => '_mb_per_second', '_ms' => '_milliseconds', '_s' => '_seconds', '_h' => '_hours'];

    /** `plan_token` is `planToken`; units are spelled out: `elapsed_s` is `elapsedSeconds`. */
    public static function property(string $field): string
    {
        foreach (self::UNITS as $short => $long) {
            if (str_ends_with($field, $short)) {
                $field = substr($field, 0, -strlen($short)) . $long;
                break;
            }
        }
        return lcfirst(self::enumCase($field));
    }

    /** `rolled_back` is `RolledBack`. */
    public static function enumCase(string $value): string
    {
        return implode('', array_map(ucfirst(...), preg_split('/[^A-Za-z0-9]+/', $value) ?: []));
    }

    /** `restore_start` is `restoreStart`. */
    public static function method(string $call): string
    {
        return lcfirst(self::enumCase($call));
    }
}
