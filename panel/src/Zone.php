<?php

declare(strict_types=1);

namespace RocketVps\Panel;

/** The zone of the engine's local time, which is that of the machine. PHP's own (date.timezone) is another matter. */
final class Zone
{
    /**
     * @param string|null $stamp a time of the engine; where it has an offset and the machine's zone had another one then
     *                           (PHP-FPM sees other files than the engine), the offset counts
     * @param string $link what says the zone of the machine
     */
    public static function of(?string $stamp = null, string $link = '/etc/localtime'): \DateTimeZone
    {
        $zone = self::ofMachine($link);
        if ($stamp === null || preg_match('/T.*([+-]\d\d:\d\d|Z)$/D', $stamp) !== 1) {
            return $zone;
        }
        $moment = date_create_immutable($stamp);
        return $moment === false || $zone->getOffset($moment) === $moment->getOffset() ? $zone : $moment->getTimezone();
    }

    private static function ofMachine(string $link): \DateTimeZone
    {
        foreach ([@readlink($link), @realpath($link), 'zoneinfo/' . trim((string) @file_get_contents(dirname($link) . '/timezone'))] as $path) {
            if (preg_match('~(?:^|/)zoneinfo/(?:posix/|right/)?(.+)$~D', (string) $path, $match) === 1) {
                try {
                    return new \DateTimeZone($match[1]);
                } catch (\Exception) {
                    // PHP does not know it by this name.
                }
            }
        }
        return new \DateTimeZone(date_default_timezone_get());
    }
}
