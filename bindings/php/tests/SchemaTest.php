<?php

declare(strict_types=1);

namespace RocketVps\Restore\Tests;

use PHPUnit\Framework\TestCase;
use RocketVps\Restore\Client;
use RocketVps\Restore\FfiTransport;
use RocketVps\Restore\LibraryFunctions;
use RocketVps\Restore\LibraryTransport;
use RocketVps\Restore\Tools\Names;
use RocketVps\Restore\Tools\Schema;

/** The classes have what the schema has. */
final class SchemaTest extends TestCase
{
    private const ROOT = __DIR__ . '/../../..';
    private const SPACE = 'RocketVps\Restore\\';

    public function testTheCommittedClassesAreThoseOfTheSchema(): void
    {
        $folder = sys_get_temp_dir() . '/rv-classes-' . bin2hex(random_bytes(6));
        mkdir($folder, 0700);
        exec(implode(' ', array_map(escapeshellarg(...), [PHP_BINARY, __DIR__ . '/../tools/generate.php', self::ROOT . '/docs/api.schema.json', $folder])), $lines, $status);
        self::assertSame(0, $status, implode("\n", $lines));
        $written = glob("$folder/{*/*.php,*.h}", GLOB_BRACE) ?: [];
        foreach ($written as $file) {
            $name = substr($file, strlen($folder));
            self::assertFileEquals($file, __DIR__ . "/../src$name", "run: php tools/generate.php ($name)");
            unlink($file);
        }
        array_map(rmdir(...), glob("$folder/*") ?: []);
        rmdir($folder);
        self::assertGreaterThan(100, count($written));
    }

    public function testEveryCallHasAMethodWithItsTypes(): void
    {
        $schema = $this->schema();
        self::assertCount(20, $schema->calls);
        foreach ($schema->calls as $call => $types) {
            $method = new \ReflectionMethod(Client::class, Names::method($call));
            self::assertNotFalse($method->getDocComment(), $call);
            self::assertSame(self::SPACE . "Request\\$types[request]", (string) $method->getParameters()[0]->getType(), $call);
            $classes = $schema->isObject($types['data']) ? [$types['data']] : $schema->classes($types['data']);
            $expected = array_map(static fn (string $class): string => self::SPACE . "Answer\\$class", $classes);
            $returned = explode('|', (string) $method->getReturnType());
            sort($expected);
            sort($returned);
            self::assertSame($expected, $returned, $call);
        }
    }

    public function testEveryFieldHasAProperty(): void
    {
        $schema = $this->schema();
        $count = 0;
        foreach (['Request' => $schema->requests(), 'Answer' => $schema->answers()] as $space => $names) {
            foreach ($names as $name) {
                /** @var class-string $class */
                $class = self::SPACE . "$space\\$name";
                foreach (array_keys($schema->type($name)['properties']) as $field) {
                    $property = new \ReflectionProperty($class, Names::property($field));
                    self::assertTrue($property->isReadOnly(), "$name.$field");
                    $count++;
                }
                // None has a name that another one has, too.
                self::assertCount(
                    count($schema->type($name)['properties']) + (int) property_exists($class, 'all'),
                    (new \ReflectionClass($class))->getProperties(),
                    $name,
                );
            }
        }
        self::assertGreaterThan(500, $count);
    }

    public function testEveryWordHasACase(): void
    {
        $schema = $this->schema();
        foreach ($schema->enums() as $name) {
            /** @var class-string<\BackedEnum> $enum */
            $enum = self::SPACE . "Enum\\$name";
            self::assertSame($schema->type($name)['enum'], array_column($enum::cases(), 'value'), $name);
        }
    }

    public function testTheFunctionsAreThoseOfTheHeader(): void
    {
        $header = (string) file_get_contents(self::ROOT . '/include/rocketvps_restore.h');
        self::assertStringContainsString('#define RV_ABI_VERSION ' . LibraryFunctions::ABI . "\n", $header);
        $declared = (string) file_get_contents(__DIR__ . '/../src/rocketvps_restore.ffi.h');
        self::assertStringContainsString('#define FFI_SCOPE "' . FfiTransport::SCOPE . "\"\n", $declared);
        self::assertStringContainsString('#define FFI_LIB "' . LibraryTransport::NAME . "\"\n", $declared);
        foreach (array_keys($this->schema()->calls) as $call) {
            self::assertStringContainsString("char *rv_$call(const char *request_json);\n", $declared);
        }
        // A page can name any function that is not among those that are no calls.
        preg_match_all('/\brv_(\w+)\(/', $declared, $found);
        $others = array_values(array_diff($found[1], array_keys($this->schema()->calls)));
        sort($others);
        self::assertSame(LibraryFunctions::NO_CALLS, $others);
    }

    private function schema(): Schema
    {
        return Schema::read(self::ROOT . '/docs/api.schema.json');
    }
}
