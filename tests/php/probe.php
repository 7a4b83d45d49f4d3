<?php

// A page that wants FFI from the preloaded transport, by every way that PHP gives it. It calls nothing that it finds.
// It is not strict: so it can pass objects for strings.

namespace RocketVps\Restore {
    // A name without a backslash is looked for here first.
    function in_array(mixed $needle, array $haystack, bool $strict = false): bool
    {
        \Probe::look('a function that takes the place of in_array', [\func_get_args()]);
        return false;
    }

    function preg_match(string $pattern, string $subject): int|false
    {
        \Probe::look('a function that takes the place of preg_match', [\func_get_args()]);
        return 1;
    }
}

namespace {
    use RocketVps\Restore\Answer;
    use RocketVps\Restore\Exception\RestoreException;
    use RocketVps\Restore\FfiTransport;

    require __DIR__ . '/reach.php';

    final class Probe
    {
        public static array $found = [];
        /** How often its own code ran below a call. */
        public static int $inside = 0;

        public static function look(string $place, array $values = []): void
        {
            self::$inside++;
            array_push(self::$found, ...ffi_in([$values, debug_backtrace(DEBUG_BACKTRACE_PROVIDE_OBJECT)], $place));
        }

        /** Does it, and looks at what comes back, or at all that the exception tells. */
        public static function attempt(string $place, callable $do): mixed
        {
            try {
                $result = $do();
            } catch (Throwable $exception) {
                $result = null;
                for ($one = $exception; $one !== null; $one = $one->getPrevious()) {
                    array_push(self::$found, ...ffi_in([$one->getTrace(), $one], "$place, exception"));
                }
            }
            array_push(self::$found, ...ffi_in($result, $place));
            return $result;
        }
    }

    /** Runs code of the page while a parameter becomes a string. */
    final class Word
    {
        public function __construct(private string $word, private bool $pauses = false)
        {
        }

        public function __toString(): string
        {
            Probe::look('__toString()');
            if ($this->pauses) {
                Fiber::suspend();
            }
            return $this->word;
        }
    }

    ini_set('zend.exception_ignore_args', '0');
    error_reporting(E_ALL);
    set_error_handler(static function (int $level, string $message, ...$more): bool {
        Probe::look("error handler: $message", $more);
        return true;
    });
    $preloaded = array_filter([...get_declared_classes(), ...get_declared_interfaces()], static fn (string $class): bool => str_starts_with($class, 'RocketVps\\'));
    spl_autoload_register(static function (string $class): void {
        Probe::look("autoloader of $class");
    }, prepend: true);
    require $_GET['autoload'];

    // What the classes say of themselves.
    foreach ($preloaded as $class) {
        array_push(Probe::$found, ...ffi_of_class(new ReflectionClass($class)));
    }
    $class = new ReflectionClass(FfiTransport::class);
    $transports = [
        'preloaded()' => Probe::attempt('preloaded()', static fn () => FfiTransport::preloaded()),
        'without constructor' => Probe::attempt('without constructor', static fn () => $class->newInstanceWithoutConstructor()),
    ];

    foreach ($transports as $name => $transport) {
        if ($transport === null) {
            continue;
        }
        // What an object shows of itself.
        foreach (['serialize', 'print_r', 'get_mangled_object_vars', 'iterator_to_array'] as $function) {
            Probe::attempt("$name, $function()", static fn () => $function($transport, ...($function === 'print_r' ? [true] : [])));
        }
        Probe::attempt("$name, clone", static fn () => clone $transport);
        Probe::attempt("$name, closure", Closure::bind(function () {
            return [get_object_vars($this), get_class_vars(self::class), (fn () => get_defined_vars())()];
        }, $transport, FfiTransport::class));
        // Every method, whatever its visibility, with strings.
        foreach ($class->getMethods() as $method) {
            $arguments = [];
            foreach ($method->getParameters() as $parameter) {
                $arguments[] = match ((string) $parameter->getType()) {
                    'string' => $parameter->getName() === 'call' ? 'list_backups' : '{}',
                    'bool' => false,
                    default => null,
                };
            }
            if (!in_array(null, $arguments, true)) {
                Probe::attempt("$name, {$method->name}()", static fn () => $method->invokeArgs($method->isStatic() ? null : $transport, $arguments));
            }
            Probe::attempt("$name, {$method->name}() as a closure", static fn () => $method->getClosure($transport));
        }
        // Requests that run the page's code, or that end with an exception. A name that is no call's must not get to the library.
        $calls = [
            ['list_backups', '{}'], ['list_backups', ''], ['list_backups', "\xff\0"], ['list_backups', new Word('{}')], [new Word('list_backups'), '{}'],
            ['no_such_call', '{}'], ['', ''], ['list backups', '{}'], ['abi_version', '{}'], ['version', '{}'],
        ];
        foreach ($calls as $n => [$call, $request]) {
            Probe::attempt("$name, call $n", static fn () => $transport->call($call, $request));
        }
        foreach (['abi_version', 'version'] as $call) {
            try {
                $transport->call($call, '{}');
                Probe::$found[] = "$name: $call came to the library";
            } catch (Throwable $exception) {
                if (!$exception instanceof InvalidArgumentException) {
                    Probe::$found[] = "$name: $call came to the library: {$exception->getMessage()}";
                }
            }
        }
        // A call that stands still.
        $fiber = new Fiber(static fn () => $transport->call('list_backups', new Word('{}', true)));
        $fiber->start();
        Probe::attempt("$name, fiber", static fn () => (new ReflectionFiber($fiber))->getTrace(DEBUG_BACKTRACE_PROVIDE_OBJECT));
        Probe::attempt("$name, fiber goes on", static fn () => $fiber->resume());
    }

    // The page's own code under the transport's name stays the page's: PHP refuses it FFI.
    $scope = static fn () => FFI::scope('rocketvps_restore');
    Probe::attempt('FFI of the page', $scope);
    Probe::attempt('FFI of a closure in the scope of the transport', Closure::bind($scope, null, FfiTransport::class));
    Probe::attempt('FFI by reflection', static fn () => (new ReflectionMethod('FFI', 'scope'))->invoke(null, 'rocketvps_restore'));

    // The errors of the engine are made of preloaded classes alone: none is asked for from the page's autoloader, which would run within
    // the preloaded code.
    $errors = array_map(static fn (int $number): Answer\Error => new Answer\Error(Answer\Fields::of([
        'code' => 'busy', 'number' => $number, 'message' => 'What happened.', 'hint' => 'Do this.', 'context' => [],
    ])), [10, 20, 30, 40, 50, 60]);
    $asked = [];
    array_map(spl_autoload_unregister(...), spl_autoload_functions());
    spl_autoload_register(static function (string $class) use (&$asked): void {
        $asked[] = $class;
    });
    array_map(RestoreException::of(...), $errors);
    foreach ($asked as $class) {
        Probe::$found[] = "the autoloader was asked for $class";
    }

    header('Content-Type: application/json');
    echo json_encode(['found' => array_values(array_unique(Probe::$found)), 'inside' => Probe::$inside, 'preloaded' => array_values($preloaded)], JSON_PARTIAL_OUTPUT_ON_ERROR);
}
