<?php

declare(strict_types=1);

namespace RocketVps\Panel;

use RocketVps\Restore\Answer\Fields;
use RocketVps\Restore\Answer\JobStatus;
use RocketVps\Restore\Client;

/**
 * The status of jobs for many watchers: one of them asks the engine, the others read what he got, for half a second. It is
 * kept in files that only this user can read, because each watcher is a process of its own. The more watchers a job has, the
 * later each is to ask again: all of them together get `ANSWERS` a second, whose cost to the restore is measured (`make bench`).
 */
final class Watch
{
    private const FRESH_SECONDS = 0.5;
    /** Answers a second, to all who poll one job. */
    private const ANSWERS = 10;
    private const SOONEST_SECONDS = 2.0;
    private const LATEST_SECONDS = 15.0;

    private readonly ?string $folder;

    public function __construct(private readonly Client $client, Settings $settings)
    {
        $folder = $settings->cache ?? sys_get_temp_dir() . '/rv-panel-' . posix_geteuid();
        @mkdir($folder, 0700);
        clearstatcache(true, $folder);
        // In a folder for everybody's files, anybody may have made it first.
        $isOurs = is_dir($folder) && !is_link($folder) && fileowner($folder) === posix_geteuid() && (fileperms($folder) & 0077) === 0;
        $this->folder = $isOurs ? $folder : null;
    }

    /** Milliseconds after which who polls a job is to ask again: the first free place in the row of those who poll it. */
    public function again(string $job): int
    {
        $file = $this->folder === null ? false : fopen("$this->folder/job-$job.next", 'c+');
        if ($file === false || !flock($file, LOCK_EX)) {
            return (int) (1000 * self::SOONEST_SECONDS);
        }
        $now = microtime(true);
        $after = max($now + self::SOONEST_SECONDS, (float) stream_get_contents($file) + 1 / self::ANSWERS);
        $place = min($after, $now + self::LATEST_SECONDS);
        ftruncate($file, 0);
        rewind($file);
        fwrite($file, sprintf('%.3F', $place));
        fclose($file);
        return (int) round(1000 * ($place - $now));
    }

    public function status(string $job): JobStatus
    {
        if ($this->folder === null) {
            return self::read($this->ask($job));
        }
        $path = "$this->folder/job-$job.json";
        $known = self::fresh($path);
        if ($known !== null) {
            return self::read($known);
        }
        $lock = fopen("$this->folder/job-$job.lock", 'c');
        if ($lock === false) {
            return self::read($this->ask($job));
        }
        // Whoever waits here is answered by what the one before him got.
        flock($lock, LOCK_EX);
        $known = self::fresh($path);
        if ($known === null) {
            try {
                $known = $this->ask($job);
            } catch (\Throwable $throwable) {
                // Of a job that is not there, nothing stays.
                @unlink("$this->folder/job-$job.lock");
                throw $throwable;
            }
            file_put_contents("$path.new", json_encode(['at' => microtime(true), 'data' => $known], JSON_INVALID_UTF8_SUBSTITUTE));
            rename("$path.new", $path);
            $this->sweep();
        }
        fclose($lock);
        return self::read($known);
    }

    /** A place for a live stream, or null when all are taken. It is given back when the process ends. */
    public function place(int $places): mixed
    {
        for ($number = 0; $this->folder !== null && $number < $places; $number++) {
            $file = fopen("$this->folder/stream-$number.lock", 'c');
            if ($file !== false && flock($file, LOCK_EX | LOCK_NB)) {
                return $file;
            }
        }
        return null;
    }

    /** @return array<string, mixed> */
    private function ask(string $job): array
    {
        return $this->client->call('restore_poll', ['job' => $job]);
    }

    /** @return array<string, mixed>|null */
    private static function fresh(string $path): ?array
    {
        $document = json_decode((string) @file_get_contents($path), true);
        $age = is_array($document) ? microtime(true) - (float) ($document['at'] ?? 0) : INF;
        return $age >= 0 && $age < self::FRESH_SECONDS && is_array($document['data'] ?? null) ? $document['data'] : null;
    }

    /** @param array<string, mixed> $data */
    private static function read(array $data): JobStatus
    {
        return new JobStatus(new Fields($data));
    }

    /** Removes what an hour ago was the news of a job, now and then. */
    private function sweep(): void
    {
        if (random_int(0, 99) === 0) {
            foreach ((array) glob("$this->folder/job-*") as $file) {
                if (is_string($file) && (int) @filemtime($file) < time() - 3600) {
                    @unlink($file);
                }
            }
        }
    }
}
