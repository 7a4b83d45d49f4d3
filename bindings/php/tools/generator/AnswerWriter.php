<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tools;

/** Writes the classes of answers. Each takes its fields from a document; a field that is absent or null is null. */
final class AnswerWriter
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
        $parent = $this->parent($name);
        $properties = $type['properties'];
        if ($parent !== null) {
            $properties = array_diff_key($properties, $this->schema->type($parent)['properties']);
        }
        $declared = '';
        $assigned = $parent === null ? '' : "        parent::__construct(\$fields);\n";
        foreach ($properties as $field => $property) {
            [$declaration, $assignment] = $this->property($field, $property, in_array($field, $type['required'] ?? [], true));
            $declared .= "$declaration\n";
            $assigned .= $assignment;
        }
        if (($type['additionalProperties'] ?? null) === true) {
            $declared .= Text::docblock(['All of them by name, those above included.', '', '@var array<string, mixed>'], '    ')
                . "    public readonly array \$all;\n\n";
            $assigned .= "        \$this->all = \$fields->all();\n";
        }
        $head = $this->isParent($name) ? 'class' : 'final class';
        $isAlternative = $this->isAlternative($name);
        $implements = $isAlternative ? 'implements Alternative' : 'implements Answer';
        $extends = $parent === null ? $implements : "extends $parent" . ($this->isAlternative($parent) ? '' : " $implements");
        $body = Text::docblock([$type['description']]) . "$head $name $extends\n{\n$declared"
            . "    public function __construct(Fields \$fields)\n    {\n$assigned    }\n"
            . ($isAlternative ? "\n" . $this->test($type) : '') . "}\n";
        return Text::file('Answer', $this->uses, $body);
    }

    /** `FinishedReport` is a `Report` with its job. */
    private function parent(string $name): ?string
    {
        return str_starts_with($name, 'Finished') ? substr($name, strlen('Finished')) : null;
    }

    private function isAlternative(string $name): bool
    {
        return in_array($name, $this->schema->alternatives(), true);
    }

    /**
     * The types of a union differ in the fields that they require, or in a constant.
     *
     * @param array<string, mixed> $type
     */
    private function test(array $type): string
    {
        $tests = ['$fields->haveAll(' . implode(', ', array_map(static fn (string $field): string => "'$field'", $type['required'] ?? [])) . ')'];
        foreach ($type['properties'] as $field => $property) {
            if (isset($property['const'])) {
                $tests[] = "\$fields->text('$field') === '$property[const]'";
            }
        }
        return "    public static function isIn(Fields \$fields): bool\n    {\n        return " . implode(' && ', $tests) . ";\n    }\n";
    }

    private function isParent(string $name): bool
    {
        return in_array("Finished$name", $this->schema->answers(), true);
    }

    /**
     * @param array<string, mixed> $property
     *
     * @return array{string, string}
     */
    private function property(string $field, array $property, bool $isRequired): array
    {
        [$native, $documented, $getter, $isNullable] = $this->kind($field, $property);
        $isNullable = $isNullable || !$isRequired;
        $tags = [$property['description'] ?? ''];
        if ($documented !== null) {
            array_push($tags, '', '@var ' . $documented . ($isNullable ? '|null' : ''));
        }
        if ($isNullable) {
            $native = str_contains($native, '|') ? "$native|null" : "?$native";
            $getter = "\$fields->has('$field') ? $getter : null";
        }
        $name = Names::property($field);
        return [
            Text::docblock($tags, '    ') . "    public readonly $native \$$name;\n",
            "        \$this->$name = $getter;\n",
        ];
    }

    /**
     * @param array<string, mixed> $property
     *
     * @return array{string, ?string, string, bool} the native type, that of the docblock, how it is read, whether it may be null
     */
    private function kind(string $field, array $property): array
    {
        if (isset($property['anyOf'])) {
            // A type or null.
            return [...array_slice($this->kind($field, $property['anyOf'][0]), 0, 3), true];
        }
        if (isset($property['$ref'])) {
            return $this->reference($field, Schema::nameOf($property));
        }
        $types = (array) $property['type'];
        $isNullable = in_array('null', $types, true);
        return match ($types[0]) {
            'string' => ['string', null, "\$fields->text('$field')", $isNullable],
            'integer' => ['int', null, "\$fields->integer('$field')", $isNullable],
            'number' => ['float', null, "\$fields->number('$field')", $isNullable],
            'boolean' => ['bool', null, "\$fields->flag('$field')", $isNullable],
            'object' => ['array', 'array<string, mixed>', "\$fields->map('$field')", $isNullable],
            'array' => $this->items($field, $property['items']),
            default => throw new \RuntimeException("$field: no such type: $types[0]"),
        };
    }

    /** @return array{string, ?string, string, bool} */
    private function reference(string $field, string $name): array
    {
        if ($this->schema->isEnum($name)) {
            $this->uses[] = self::ENUMS . $name;
            return ["$name|string", null, "\$fields->word('$field', $name::class)", false];
        }
        if ($this->schema->isObject($name)) {
            return [$name, null, "\$fields->object('$field', $name::class)", false];
        }
        if ($name === 'RelPath') {
            return ['string', null, "\$fields->path('$field')", false];
        }
        $branches = $this->schema->branches($name);
        if ($branches === []) {
            // A text with a name of its own.
            return ['string', null, "\$fields->text('$field')", false];
        }
        $first = Schema::nameOf($branches[0]);
        if ($this->schema->isEnum($first)) {
            $this->uses[] = self::ENUMS . $first;
            $second = Schema::nameOf($branches[1]);
            return ["$second|$first|string", null, "\$fields->objectOrWord('$field', $second::class, $first::class)", false];
        }
        $classes = $this->schema->classes($name);
        $list = implode(', ', array_map(static fn (string $class): string => "$class::class", $classes));
        return [implode('|', [...$classes, 'Other']), null, "\$fields->oneOf('$field', [$list])", false];
    }

    /**
     * @param array<string, mixed> $items
     *
     * @return array{string, string, string, bool}
     */
    private function items(string $field, array $items): array
    {
        if (!isset($items['$ref'])) {
            return ['array', 'list<string>', "\$fields->texts('$field')", false];
        }
        $name = Schema::nameOf($items);
        if ($this->schema->isEnum($name)) {
            $this->uses[] = self::ENUMS . $name;
            return ['array', "list<$name|string>", "\$fields->words('$field', $name::class)", false];
        }
        return match (true) {
            $this->schema->isObject($name) => ['array', "list<$name>", "\$fields->objects('$field', $name::class)", false],
            $name === 'RelPath' => ['array', 'list<string>', "\$fields->paths('$field')", false],
            default => ['array', 'list<string>', "\$fields->texts('$field')", false],
        };
    }
}
