<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** A command of a cron file. */
final class CronJob implements Answer
{
    /** When it runs: five fields, or `@daily` and the like. */
    public readonly string $schedule;

    /** The account it runs as. */
    public readonly string $user;

    /** The command. */
    public readonly string $command;

    public function __construct(Fields $fields)
    {
        $this->schedule = $fields->text('schedule');
        $this->user = $fields->text('user');
        $this->command = $fields->text('command');
    }
}
