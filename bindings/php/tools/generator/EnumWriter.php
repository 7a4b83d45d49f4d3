<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tools;

/** Writes the enums: the closed lists of words. */
final class EnumWriter
{
    public function __construct(private readonly Schema $schema)
    {
    }

    public function write(string $name): string
    {
        $type = $this->schema->type($name);
        [$about, $meanings] = self::parse($type['description'], $type['enum']);
        $body = Text::docblock([$about]) . "enum $name: string\n{\n";
        foreach ($type['enum'] as $value) {
            if (isset($meanings[$value])) {
                $body .= Text::docblock([$meanings[$value]], '    ');
            }
            $body .= '    case ' . Names::enumCase($value) . ' = ' . var_export($value, true) . ";\n";
        }
        return Text::file('Enum', [], "$body}\n");
    }

    /**
     * The description of an enum ends with "`word`: Meaning." for each word.
     *
     * @param list<string> $values
     *
     * @return array{string, array<string, string>}
     */
    private static function parse(string $description, array $values): array
    {
        $pattern = '/ `(' . implode('|', array_map(static fn (string $value): string => preg_quote($value, '/'), $values)) . ')`: /';
        $pieces = preg_split($pattern, $description, -1, PREG_SPLIT_DELIM_CAPTURE) ?: [$description];
        $meanings = [];
        for ($n = 1; $n + 1 < count($pieces); $n += 2) {
            $meanings[$pieces[$n]] = $pieces[$n + 1];
        }
        return [$pieces[0], $meanings];
    }
}
