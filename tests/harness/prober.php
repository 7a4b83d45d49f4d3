<?php
// Asks for a page every 20 ms, whether or not the last answer has come, until SIGTERM; then writes what it saw as JSON.
// php prober.php ADDRESS PORT HOST PATH PIDFILE REPORT
[, $address, $port, $host, $path, $pidfile, $report] = $argv;
const EVERY = 0.020;
const PATIENCE = 10.0;
$request = "GET $path HTTP/1.0\r\nHost: $host\r\nConnection: close\r\n\r\n";
$running = true;
pcntl_async_signals(true);
pcntl_signal(SIGTERM, function () use (&$running) { $running = false; });
pcntl_signal(SIGINT, function () use (&$running) { $running = false; });

$open = [];
$seen = ['requests' => 0, 'failed' => 0, 'wrong' => 0, 'mixed' => 0];
$sides = [];
$times = [];
$bad = [];
$downtime = 0.0;
$down_since = null;
$last_good = null;

/** Files the answer, which began at $began, under what it is. */
$judge = function (float $began, string $answer, ?string $trouble) use (&$seen, &$sides, &$times, &$bad, &$downtime, &$down_since, &$last_good) {
    $now = microtime(true);
    $seen['requests']++;
    $times[] = $now - $began;
    if ($trouble !== null || !preg_match('~^HTTP/1\.[01] 200 ~', $answer)) {
        $kind = 'failed';
    } elseif (!preg_match('~RV files=(\w+) db=(\w+) posts=20 bytes=[1-9]\d* END\n$~', $answer, $match)) {
        $kind = 'wrong';
    } elseif ($match[1] !== $match[2]) {
        $kind = 'mixed';
    } else {
        $sides[$match[1]] = ($sides[$match[1]] ?? 0) + 1;
        if ($down_since !== null) {
            $downtime += $now - $down_since;
            $down_since = null;
        }
        $last_good = $now;
        return;
    }
    $seen[$kind]++;
    if ($kind !== 'mixed') {
        $down_since ??= $last_good ?? $began;
    }
    if (count($bad) < 5) {
        $bad[] = $kind . ': ' . ($trouble ?? substr(preg_replace('~\s+~', ' ', $answer), 0, 300));
    }
};

file_put_contents($pidfile, getmypid() . "\n");
$next = microtime(true);
while ($running || $open) {
    $now = microtime(true);
    if ($running && $now >= $next) {
        $next = max($next + EVERY, $now - 1);
        $socket = @stream_socket_client("tcp://$address:$port", $number, $message, PATIENCE, STREAM_CLIENT_CONNECT);
        if ($socket === false) {
            $judge($now, '', "connect: $message");
        } else {
            stream_set_blocking($socket, false);
            fwrite($socket, $request);
            $open[(int) $socket] = [$socket, $now, ''];
        }
    }
    $read = array_column($open, 0);
    $none = null;
    $wait = $running ? max(0, $next - microtime(true)) : 0.05;
    if ($read === []) {
        usleep((int) ($wait * 1e6));
        continue;
    }
    if (@stream_select($read, $none, $none, 0, (int) ($wait * 1e6)) === false) {
        continue;
    }
    foreach ($read as $socket) {
        $piece = fread($socket, 65536);
        if ($piece === false || ($piece === '' && feof($socket))) {
            [, $began, $answer] = $open[(int) $socket];
            unset($open[(int) $socket]);
            fclose($socket);
            $judge($began, $answer, $answer === '' ? 'no answer' : null);
        } else {
            $open[(int) $socket][2] .= $piece;
        }
    }
    foreach ($open as $key => [$socket, $began, $answer]) {
        if (microtime(true) - $began > PATIENCE) {
            unset($open[$key]);
            fclose($socket);
            $judge($began, $answer, 'no answer in time');
        }
    }
}
if ($down_since !== null) {
    $downtime += microtime(true) - $down_since;
}
sort($times);
$rank = fn (float $share) => $times ? round(1000 * $times[(int) floor($share * (count($times) - 1))], 1) : null;
$seen += [
    'downtime_ms' => round(1000 * $downtime, 1),
    'median_ms' => $rank(0.5),
    'p99_ms' => $rank(0.99),
    'slowest_ms' => $rank(1.0),
    'sides' => (object) $sides,
    'bad' => $bad,
];
file_put_contents("$report.part", json_encode($seen, JSON_UNESCAPED_SLASHES) . "\n");
rename("$report.part", $report);
