<?php

// Looks for FFI in whatever a page can get hold of. Also loaded by pages.
declare(strict_types=1);

/**
 * Where in a value an FFI object or C data is: in properties of any visibility, arrays, closures and what they use.
 *
 * @return list<string>
 */
function ffi_in(mixed $value, string $place, int $depth = 0, ?SplObjectStorage $seen = null): array
{
    $seen ??= new SplObjectStorage();
    if ($value instanceof FFI || $value instanceof FFI\CData || $value instanceof FFI\CType) {
        return ["$place: " . get_class($value)];
    }
    $parts = is_array($value) ? $value : [];
    if (is_object($value)) {
        if ($seen->contains($value)) {
            return [];
        }
        $seen->attach($value);
        $parts = (array) $value;
        if ($value instanceof Closure) {
            $function = new ReflectionFunction($value);
            $parts += ['this' => $function->getClosureThis(), 'static' => $function->getStaticVariables()];
        }
        for ($class = new ReflectionObject($value); $class !== false; $class = $class->getParentClass()) {
            foreach ($class->getProperties() as $property) {
                if ($property->isInitialized($value)) {
                    $parts["$class->name::$property->name"] = $property->getValue($value);
                }
            }
        }
    }
    $found = [];
    foreach ($depth < 12 ? $parts : [] as $name => $part) {
        array_push($found, ...ffi_in($part, $place . '/' . strtr((string) $name, "\0", ' '), $depth + 1, $seen));
    }
    return $found;
}

/**
 * Where a class keeps, takes or gives FFI: types, static properties, constants, static variables.
 *
 * @return list<string>
 */
function ffi_of_class(ReflectionClass $class): array
{
    $found = [];
    $look = static function (?ReflectionType $type, string $place) use (&$found): void {
        if ($type !== null && preg_match('/\bFFI\b/i', (string) $type) === 1) {
            $found[] = "$place: $type";
        }
    };
    foreach ($class->getProperties() as $property) {
        $look($property->getType(), "$class->name::\$$property->name");
    }
    foreach ($class->getMethods() as $method) {
        $look($method->getReturnType(), "$class->name::$method->name()");
        foreach ($method->getParameters() as $parameter) {
            $look($parameter->getType(), "$class->name::$method->name(\$$parameter->name)");
        }
        array_push($found, ...ffi_in($method->getStaticVariables(), "$class->name::$method->name()"));
    }
    return [...$found, ...ffi_in([$class->getStaticProperties(), $class->getConstants()], $class->name)];
}
