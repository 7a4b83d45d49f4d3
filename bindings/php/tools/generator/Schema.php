<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tools;

/** docs/api.schema.json: which types there are, and what the requests and the answers are made of. */
final class Schema
{
    /**
     * @param array<string, array<string, mixed>>                     $types
     * @param array<string, array{request: string, data: string}> $calls
     */
    private function __construct(private readonly array $types, public readonly array $calls)
    {
    }

    public static function read(string $path): self
    {
        $text = file_get_contents($path);
        if ($text === false) {
            throw new \RuntimeException("cannot read $path");
        }
        $schema = json_decode($text, true, 512, JSON_THROW_ON_ERROR);
        $types = $schema['$defs'];
        // A page of a comparison is of one of three types, which `part` tells apart: it is a field of each of them.
        foreach ($types as $union) {
            foreach ($union['oneOf'] ?? [] as $branch) {
                $name = self::nameOf($branch);
                foreach ($branch['properties'] as $field => $property) {
                    $types[$name]['properties'][$field] = ['type' => 'string', 'description' => "`$property[const]`.", 'const' => $property['const']];
                    $types[$name]['required'][] = $field;
                }
            }
        }
        $calls = [];
        foreach ($schema['properties']['calls']['properties'] as $name => $call) {
            $calls[$name] = [
                'request' => self::nameOf($call['properties']['request']),
                'data' => self::nameOf($call['properties']['data']),
            ];
        }
        return new self($types, $calls);
    }

    /** @return array<string, mixed> */
    public function type(string $name): array
    {
        return $this->types[$name] ?? throw new \RuntimeException("the schema has no type $name");
    }

    public function isEnum(string $name): bool
    {
        return isset($this->type($name)['enum']);
    }

    public function isObject(string $name): bool
    {
        return ($this->type($name)['type'] ?? null) === 'object';
    }

    /** @return list<array<string, mixed>> */
    public function branches(string $name): array
    {
        return $this->type($name)['anyOf'] ?? $this->type($name)['oneOf'] ?? [];
    }

    /**
     * The object types that a union comes down to, through the unions in it.
     *
     * @return list<string>
     */
    public function classes(string $union): array
    {
        $classes = [];
        foreach ($this->branches($union) as $branch) {
            $name = self::nameOf($branch);
            array_push($classes, ...($this->isObject($name) ? [$name] : $this->classes($name)));
        }
        return $classes;
    }

    /** @return list<string> the object types that are one of several in a union */
    public function alternatives(): array
    {
        $unions = array_filter(array_keys($this->types), fn (string $name): bool => $this->areObjects($name));
        return array_values(array_unique(array_merge(...array_map($this->classes(...), array_values($unions)))));
    }

    /** Whether it is a union of nothing but object types. */
    private function areObjects(string $union): bool
    {
        foreach ($this->branches($union) as $branch) {
            $name = isset($branch['$ref']) ? self::nameOf($branch) : null;
            if ($name === null || (!$this->isObject($name) && !$this->areObjects($name))) {
                return false;
            }
        }
        return $this->branches($union) !== [];
    }

    /** @return list<string> */
    public function enums(): array
    {
        return array_values(array_filter(array_keys($this->types), $this->isEnum(...)));
    }

    /** @return list<string> the object types of requests */
    public function requests(): array
    {
        return $this->reached(array_column($this->calls, 'request'));
    }

    /** @return list<string> the object types of answers, and of what a notification tells */
    public function answers(): array
    {
        return $this->reached([...array_column($this->calls, 'data'), 'Error', 'Notification']);
    }

    /** @param array<string, mixed> $schema */
    public static function nameOf(array $schema): string
    {
        return basename($schema['$ref'] ?? throw new \RuntimeException('no name of a type: ' . json_encode($schema)));
    }

    /**
     * @param list<string> $roots
     *
     * @return list<string>
     */
    private function reached(array $roots): array
    {
        $seen = [];
        while ($roots !== []) {
            $name = array_pop($roots);
            if (isset($seen[$name])) {
                continue;
            }
            $seen[$name] = true;
            $text = json_encode($this->types[$name], JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES);
            preg_match_all('|"\$ref":"#/\$defs/(\w+)"|', $text, $found);
            array_push($roots, ...$found[1]);
        }
        $names = array_filter(array_keys($seen), $this->isObject(...));
        sort($names);
        return $names;
    }
}
