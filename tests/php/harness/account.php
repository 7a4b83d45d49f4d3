<?php

declare(strict_types=1);

/**
 * Runs checks as another account, in a child, and gives what they return. An exception is a failed check.
 */
function as_account(string $name, string $what, callable $work): mixed
{
    global $count, $failures;
    $file = (string) tempnam('/tmp', 'rv-php-');
    $output = fopen($file, 'w');
    $child = pcntl_fork();
    if ($child === 0) {
        // What hangs is a failure.
        pcntl_alarm(300);
        $account = posix_getpwnam($name);
        $failures = 0;
        $result = null;
        if (!posix_setgid($account['gid']) || !posix_initgroups($name, $account['gid']) || !posix_setuid($account['uid'])) {
            check(false, "$what: became $name");
        } else {
            try {
                $result = $work();
            } catch (Throwable $exception) {
                check(false, "$what: no exception", $exception);
            }
        }
        fwrite($output, json_encode([$count, $failures, $result]));
        exit(0);
    }
    pcntl_waitpid($child, $status);
    $said = json_decode((string) file_get_contents($file), true);
    unlink($file);
    if (!is_array($said)) {
        check(false, "$what: the checks of $name came to their end", $status);
        return null;
    }
    [$count, $new, $result] = $said;
    $failures += $new;
    return $result;
}
