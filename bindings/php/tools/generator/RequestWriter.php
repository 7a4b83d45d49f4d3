<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tools;

/** Writes the classes of requests: named arguments, where null leaves a field out. */
final class RequestWriter
{
    private const ENUMS = 'RocketVps\Restore\Enum\\';

    /** @var list<string> */
    private array $uses = [];

    public function __construct(private readonly Schema $schema)
    {
    }

    public function write(string $name): string
    {
        $this->uses = [];
        $type = $this->schema->type($name);
        $required = $type['required'] ?? [];
        $fields = array_keys($type['properties']);
        // Required ones first, then as the schema has them; where a restore.toml can be named, few do.
        usort($fields, static fn (string $a, string $b): int => self::rank($a, $required) <=> self::rank($b, $required));
        $parameters = '';
        $pairs = '';
        $tags = [];
        foreach ($fields as $field) {
            $property = $type['properties'][$field];
            [$native, $documented] = $this->kind($field, $property);
            $isOptional = !in_array($field, $required, true);
            if ($isOptional) {
                $native = str_contains($native, '|') ? "$native|null" : "?$native";
                $documented .= '|null';
            }
            $parameter = Names::property($field);
            $tags[] = "@param $documented \$$parameter " . self::about($property);
            $parameters .= "        public readonly $native \$$parameter" . ($isOptional ? ' = null' : '') . ",\n";
            $value = "\$this->$parameter";
            if ($field === 'set') {
                // No settings are an object, too.
                $value = "(object) $value";
            }
            $pairs .= "            '$field' => $value,\n";
        }
        $body = Text::docblock([$type['description']]) . "final class $name implements Request\n{\n" . Text::docblock($tags, '    ')
            . "    public function __construct(\n$parameters    ) {\n    }\n\n"
            . "    public function jsonSerialize(): object\n    {\n"
            . "        return (object) array_filter([\n$pairs        ], static fn (mixed \$value): bool => \$value !== null);\n    }\n}\n";
        return Text::file('Request', $this->uses, $body);
    }

    /** @param list<string> $required */
    private static function rank(string $field, array $required): int
    {
        return match (true) {
            in_array($field, $required, true) => 0,
            $field === 'config' => 2,
            default => 1,
        };
    }

    /** @param array<string, mixed> $property */
    private static function about(array $property): string
    {
        $default = $property['default'] ?? null;
        $about = $property['description'] ?? '';
        return is_scalar($default) ? "$about By default " . json_encode($default, JSON_UNESCAPED_SLASHES) . '.' : $about;
    }

    /**
     * @param array<string, mixed> $property
     *
     * @return array{string, string} the native type and that of the docblock
     */
    private function kind(string $field, array $property): array
    {
        if (isset($property['anyOf'])) {
            return $this->kind($field, $property['anyOf'][0]);
        }
        if (isset($property['$ref'])) {
            return $this->reference(Schema::nameOf($property));
        }
        return match (((array) $property['type'])[0]) {
            'string' => ['string', 'string'],
            'integer' => ['int', 'int'],
            'boolean' => ['bool', 'bool'],
            'object' => ['array', 'array<string, mixed>'],
            'array' => ['array', 'list<' . $this->kind($field, $property['items'])[1] . '>'],
            default => throw new \RuntimeException("$field: no such type"),
        };
    }

    /** @return array{string, string} */
    private function reference(string $name): array
    {
        if ($this->schema->isEnum($name)) {
            $this->uses[] = self::ENUMS . $name;
            // A word that a later engine knows can be named, too.
            return ["$name|string", "$name|string"];
        }
        return match (true) {
            $this->schema->isObject($name) => [$name, $name],
            $name === 'Choice' => ['bool|array', 'bool|list<string>'],
            $name === 'Backup' => ['string|Import', 'string|Import'],
            $name === 'ConfigSource' => ['string|ConfigSettings', 'string|ConfigSettings'],
            $this->schema->branches($name) === [] => ['string', 'string'],
            default => throw new \RuntimeException("no type for a request: $name"),
        };
    }
}
