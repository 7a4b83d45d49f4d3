<?php

// Checks in the Test Anything Protocol, and commands that fail loudly.
declare(strict_types=1);

$count = 0;
$failures = 0;

function check(bool $good, string $what, mixed $seen = null): void
{
    global $count, $failures;
    $count++;
    $failures += (int) !$good;
    printf("%sok %d - %s\n", $good ? '' : 'not ', $count, $what);
    if (!$good && $seen !== null) {
        $seen = $seen instanceof Throwable ? get_class($seen) . ': ' . $seen->getMessage() . "\n" . $seen->getTraceAsString() : json_encode($seen, JSON_PARTIAL_OUTPUT_ON_ERROR);
        echo '# got: ', str_replace("\n", "\n# ", substr((string) $seen, 0, 1500)), "\n";
    }
}

/** The plan, and the exit status. */
function finish(): never
{
    global $count, $failures;
    echo "1..$count\n";
    exit($failures === 0 ? 0 : 1);
}

/** Runs a command and gives its output; fails loudly. */
function run(string ...$words): string
{
    exec(implode(' ', array_map('escapeshellarg', $words)), $lines, $status);
    if ($status !== 0) {
        throw new RuntimeException(implode(' ', $words) . ": exit $status");
    }
    return implode("\n", $lines);
}

/** The exception a call ends with. */
function thrown(callable $call): ?Throwable
{
    try {
        $call();
    } catch (Throwable $exception) {
        return $exception;
    }
    return null;
}

/** Asks until it is so, for at most so many seconds. */
function becomes(callable $is, float $seconds = 20.0): bool
{
    $end = microtime(true) + $seconds;
    while (!$is()) {
        if (microtime(true) > $end) {
            return false;
        }
        usleep(20_000);
    }
    return true;
}
