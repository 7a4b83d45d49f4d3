<?php

declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** The fields of an object in a document, each read as the type that it has to be. */
final class Fields
{
    /**
     * @param array<string, mixed> $values
     * @param string               $place  where in the document the object is
     */
    public function __construct(private readonly array $values, private readonly string $place = '')
    {
    }

    /** The fields of a whole document. */
    public static function of(mixed $document): self
    {
        return new self(self::asMap($document, 'the document'));
    }

    /** Whether the field is there and not null. */
    public function has(string $name): bool
    {
        return isset($this->values[$name]);
    }

    /** Whether all of these are there, if only as null. */
    public function haveAll(string ...$names): bool
    {
        return array_diff($names, array_keys($this->values)) === [];
    }

    /** @return array<string, mixed> */
    public function all(): array
    {
        return $this->values;
    }

    public function text(string $name): string
    {
        return self::asText($this->value($name), $this->at($name));
    }

    public function integer(string $name): int
    {
        $value = $this->value($name);
        return is_int($value) ? $value : throw self::isNo('integer', $this->at($name));
    }

    public function number(string $name): float
    {
        $value = $this->value($name);
        // JSON has one type for 1 and 1.0.
        return is_int($value) || is_float($value) ? (float) $value : throw self::isNo('number', $this->at($name));
    }

    public function flag(string $name): bool
    {
        $value = $this->value($name);
        return is_bool($value) ? $value : throw self::isNo('boolean', $this->at($name));
    }

    /** @return array<string, mixed> */
    public function map(string $name): array
    {
        return self::asMap($this->value($name), $this->at($name));
    }

    /** A path: text, or a list of its bytes where it is no UTF-8. */
    public function path(string $name): string
    {
        return self::asPath($this->value($name), $this->at($name));
    }

    /** @return list<string> */
    public function paths(string $name): array
    {
        return $this->each($name, self::asPath(...));
    }

    /** @return list<string> */
    public function texts(string $name): array
    {
        return $this->each($name, self::asText(...));
    }

    /**
     * A word of a closed list; the word itself where a later engine has one more.
     *
     * @template T of \BackedEnum
     *
     * @param class-string<T> $enum
     *
     * @return T|string
     */
    public function word(string $name, string $enum): \BackedEnum|string
    {
        $word = $this->text($name);
        return $enum::tryFrom($word) ?? $word;
    }

    /**
     * @template T of \BackedEnum
     *
     * @param class-string<T> $enum
     *
     * @return list<T|string>
     */
    public function words(string $name, string $enum): array
    {
        return array_map(static fn (string $word): \BackedEnum|string => $enum::tryFrom($word) ?? $word, $this->texts($name));
    }

    /**
     * @template T of Answer
     *
     * @param class-string<T> $class
     *
     * @return T
     */
    public function object(string $name, string $class): Answer
    {
        return new $class($this->inner($name));
    }

    /**
     * @template T of Answer
     *
     * @param class-string<T> $class
     *
     * @return list<T>
     */
    public function objects(string $name, string $class): array
    {
        return $this->each($name, static fn (mixed $value, string $place): Answer => new $class(new self(self::asMap($value, $place), $place)));
    }

    /**
     * @template T of Answer
     * @template E of \BackedEnum
     *
     * @param class-string<T> $class
     * @param class-string<E> $enum
     *
     * @return T|E|string
     */
    public function objectOrWord(string $name, string $class, string $enum): Answer|\BackedEnum|string
    {
        return is_string($this->value($name)) ? $this->word($name, $enum) : $this->object($name, $class);
    }

    /**
     * The first of the types that the object is of.
     *
     * @template T of Alternative
     *
     * @param list<class-string<T>> $classes
     *
     * @return T|Other
     */
    public function oneOf(string $name, array $classes): Answer
    {
        return $this->inner($name)->asOneOf($classes);
    }

    /**
     * These fields as the first of the types that they are those of.
     *
     * @template T of Alternative
     *
     * @param list<class-string<T>> $classes
     *
     * @return T|Other
     */
    public function asOneOf(array $classes): Answer
    {
        foreach ($classes as $class) {
            if ($class::isIn($this)) {
                return new $class($this);
            }
        }
        return new Other($this);
    }

    private function inner(string $name): self
    {
        return new self($this->map($name), $this->at($name));
    }

    private function value(string $name): mixed
    {
        return $this->values[$name] ?? throw new \UnexpectedValueException("{$this->at($name)} is missing");
    }

    private function at(string $name): string
    {
        return $this->place === '' ? $name : "$this->place.$name";
    }

    /**
     * @template T
     *
     * @param \Closure(mixed, string): T $read
     *
     * @return list<T>
     */
    private function each(string $name, \Closure $read): array
    {
        $values = $this->value($name);
        if (!is_array($values) || !array_is_list($values)) {
            throw self::isNo('list', $this->at($name));
        }
        $results = [];
        foreach ($values as $n => $value) {
            $results[] = $read($value, "{$this->at($name)}[$n]");
        }
        return $results;
    }

    private static function asText(mixed $value, string $place): string
    {
        return is_string($value) ? $value : throw self::isNo('text', $place);
    }

    private static function asPath(mixed $value, string $place): string
    {
        if (!is_array($value)) {
            return self::asText($value, $place);
        }
        $path = '';
        foreach ($value as $byte) {
            $path .= is_int($byte) && $byte >= 0 && $byte < 256 ? chr($byte) : throw self::isNo('path', $place);
        }
        return $path;
    }

    /** @return array<string, mixed> */
    private static function asMap(mixed $value, string $place): array
    {
        if (!is_array($value)) {
            throw self::isNo('object', $place);
        }
        $map = [];
        foreach ($value as $key => $item) {
            // PHP makes integers of keys that look like some.
            $map[(string) $key] = $item;
        }
        return $map;
    }

    private static function isNo(string $type, string $place): \UnexpectedValueException
    {
        return new \UnexpectedValueException("$place is no $type");
    }
}
