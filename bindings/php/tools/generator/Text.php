<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tools;

/** Pieces of PHP files. */
final class Text
{
    private const WIDTH = 120;

    /**
     * A docblock of sentences and tags.
     *
     * @param list<string> $lines
     */
    public static function docblock(array $lines, string $indent = ''): string
    {
        // It would end the comment.
        $lines = array_map(static fn (string $line): string => str_replace('*/', '*\/', $line), $lines);
        if (count($lines) === 1 && strlen($lines[0]) + strlen($indent) + 7 <= self::WIDTH) {
            return "$indent/** $lines[0] */\n";
        }
        $text = "$indent/**\n";
        foreach ($lines as $line) {
            foreach (explode("\n", wordwrap($line, self::WIDTH - strlen($indent) - 3)) as $piece) {
                $text .= rtrim("$indent * $piece") . "\n";
            }
        }
        return "$text$indent */\n";
    }

    /**
     * A file with one class.
     *
     * @param list<string> $uses
     */
    public static function file(string $namespace, array $uses, string $body): string
    {
        $uses = array_unique($uses);
        sort($uses);
        $text = "<?php\n\n// Generated from docs/api.schema.json: php tools/generate.php\ndeclare(strict_types=1);\n\nnamespace RocketVps\\Restore\\$namespace;\n\n";
        foreach ($uses as $use) {
            $text .= "use $use;\n";
        }
        return $text . ($uses === [] ? '' : "\n") . $body;
    }
}
