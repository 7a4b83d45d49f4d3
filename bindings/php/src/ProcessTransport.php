<?php

declare(strict_types=1);

namespace RocketVps\Restore;

use RocketVps\Restore\Exception\TransportException;

/**
 * Starts the helper `rocketvps-restore call NAME -` for each call. No shell takes part, and the request goes through
 * standard input: the list of processes does not show it.
 */
final class ProcessTransport implements Transport
{
    private const PIECE = 1 << 16;
    private const MAX_COMPLAINT = 1 << 14;
    /** Exit status of a child that found no program to become. */
    private const NOT_FOUND = 127;
    /** Seconds between SIGTERM and SIGKILL. */
    private const PATIENCE = 2.0;
    private const SIGTERM = 15;
    private const SIGKILL = 9;

    /**
     * @param string $helper        the program; an absolute path where the environment has no PATH, as under PHP-FPM
     * @param float  $answerTimeout seconds until the whole answer has to be there
     * @param float  $waitTimeout   the same of a call that waits for its job
     * @param int    $maxAnswer     bytes of the longest answer that is taken
     */
    public function __construct(
        private readonly string $helper = 'rocketvps-restore',
        private readonly float $answerTimeout = 60.0,
        private readonly float $waitTimeout = 6 * 3600.0,
        private readonly int $maxAnswer = 64 << 20,
    ) {
    }

    public function call(string $call, string $request, bool $waits = false): string
    {
        $deadline = new Deadline($waits ? $this->waitTimeout : $this->answerTimeout);
        $pipes = [];
        $process = @proc_open([$this->helper, 'call', $call, '-'], [['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
        if ($process === false) {
            throw $this->notStarted();
        }
        $hasEnded = false;
        try {
            [$answer, $complaint] = $this->converse($pipes, $request, $deadline);
            $hasEnded = true;
        } finally {
            foreach ($pipes as $pipe) {
                fclose($pipe);
            }
            if (!$hasEnded) {
                self::end($process);
            }
            $status = proc_close($process);
        }
        // The exit status is the number of the error that the document has.
        if ($answer === '' && $status === self::NOT_FOUND) {
            throw $this->notStarted();
        }
        if ($answer === '') {
            $complaint = trim($complaint);
            throw TransportException::because(
                "$this->helper ended with status $status and no answer" . ($complaint === '' ? '' : ": $complaint"),
                'Run it in a terminal: rocketvps-restore --version.',
            );
        }
        return $answer;
    }

    /**
     * Writes the request while it reads both outputs: a pipe that nobody empties would stop the helper.
     *
     * @param array<int, resource> $pipes
     *
     * @return array{string, string} the answer, and the begin of what it said on standard error
     */
    private function converse(array &$pipes, string $request, Deadline $deadline): array
    {
        foreach ($pipes as $pipe) {
            stream_set_blocking($pipe, false);
        }
        $answer = '';
        $complaint = '';
        while (isset($pipes[1]) || isset($pipes[2])) {
            [$readable, $writable] = $this->await($pipes, $deadline);
            if (in_array(0, $writable, true)) {
                $count = @fwrite($pipes[0], $request);
                // A helper that refuses the call does not read it to its end.
                $request = $count === false ? '' : substr($request, $count);
                if ($request === '') {
                    fclose($pipes[0]);
                    unset($pipes[0]);
                }
            }
            foreach ($readable as $number) {
                $piece = (string) @fread($pipes[$number], self::PIECE);
                if ($number === 1) {
                    $answer .= $piece;
                } elseif (strlen($complaint) < self::MAX_COMPLAINT) {
                    $complaint .= $piece;
                }
                if (feof($pipes[$number])) {
                    fclose($pipes[$number]);
                    unset($pipes[$number]);
                }
            }
            if (strlen($answer) > $this->maxAnswer) {
                throw TransportException::because("the answer is larger than $this->maxAnswer bytes", 'Ask for less at once, by `limit`.');
            }
        }
        return [$answer, substr($complaint, 0, self::MAX_COMPLAINT)];
    }

    /**
     * @param array<int, resource> $pipes
     *
     * @return array{list<int>, list<int>} the numbers of the pipes that can be read, and of those that can be written to
     */
    private function await(array $pipes, Deadline $deadline): array
    {
        do {
            $readable = array_diff_key($pipes, [0 => true]);
            $writable = array_intersect_key($pipes, [0 => true]);
            $except = null;
            [$seconds, $microseconds] = $deadline->left();
            // A signal ends it early with false.
            if (@stream_select($readable, $writable, $except, $seconds, $microseconds) > 0) {
                return [array_keys($readable), array_keys($writable)];
            }
        } while (!$deadline->hasPassed());
        throw TransportException::because(
            "no whole answer came from $this->helper within $deadline->seconds s",
            'What was begun goes on: list_jobs tells.',
        );
    }

    private function notStarted(): TransportException
    {
        return TransportException::because("$this->helper cannot be started", 'Install rocketvps-restore, or name its absolute path.');
    }

    /** @param resource $process */
    private static function end($process): void
    {
        proc_terminate($process, self::SIGTERM);
        $deadline = new Deadline(self::PATIENCE);
        while (proc_get_status($process)['running']) {
            if ($deadline->hasPassed()) {
                proc_terminate($process, self::SIGKILL);
                return;
            }
            usleep(10_000);
        }
    }
}
