<?php

declare(strict_types=1);

namespace RocketVps\Panel;

use RocketVps\Restore\Answer\JobStatus;
use RocketVps\Restore\Answer\RecoveredJob;
use RocketVps\Restore\Answer\Recovery;
use RocketVps\Restore\Answer\Rehearsed;

/**
 * How a job ended, in keys of the catalogue. A restore and a rollback have words of their own: the same state of the job
 * means another state of the site.
 */
final class Ending
{
    public readonly string $state;

    /** The error, empty without one. */
    public readonly string $code;

    private readonly string $kind;

    public function __construct(private readonly JobStatus $status)
    {
        $this->state = Text::word($status->state);
        $this->code = Text::word($status->error?->code);
        $this->kind = Text::word($status->kind);
    }

    /** Whether something is left that only a recovery brings to an end. */
    public function isStuck(): bool
    {
        $result = $this->status->result;
        $recovered = $result instanceof Recovery ? $result->recovered : [];
        return in_array('needs_operator', [$this->state, $this->code], true)
            || array_filter($recovered, static fn (RecoveredJob $job): bool => Text::word($job->state) === 'needs_operator') !== [];
    }

    /** `pass`, `warn` or `fail`. */
    public function mood(): string
    {
        $result = $this->status->result;
        return match (true) {
            $this->isStuck() => 'fail',
            $this->state === 'rolled_back', $this->code === 'cancelled' => 'warn',
            $this->state !== 'done' => 'fail',
            $result === null, $result instanceof Recovery && $result->busy !== [] => 'warn',
            // A rehearsal that came to its end may have proven nothing.
            $result instanceof Rehearsed => match (Text::word($result->outcome)) {
                'pass' => 'pass',
                'fail' => 'fail',
                default => 'warn',
            },
            default => 'pass',
        };
    }

    public function title(Words $words): string
    {
        if ($this->code === 'cancelled' && !$this->isStuck()) {
            return $this->kind === 'restore'
                ? $words->heading('title_cancelled')
                : $words->heading('panel_cancelled', $words->say("job_kind_$this->kind"));
        }
        $key = match ("$this->kind $this->state") {
            'restore rolled_back', 'restore failed', 'restore needs_operator' => "title_failure_$this->state",
            'rollback rolled_back' => 'panel_rollback_undone',
            'rollback failed' => 'panel_rollback_failed',
            'rollback needs_operator' => 'panel_rollback_stuck',
            default => 'title_job',
        };
        return $words->heading($key);
    }

    /**
     * What became of the site, where the job could have changed it: a heading and a sentence.
     *
     * @return array{string, string}|null
     */
    public function site(): ?array
    {
        return match ("$this->kind $this->state") {
            'restore rolled_back', 'restore failed' => ["outcome_state_$this->state", "after_$this->state"],
            'rollback rolled_back' => ['panel_undone', 'panel_undone_about'],
            'rollback failed' => ['outcome_state_failed', 'panel_not_rolled_back'],
            'restore needs_operator', 'rollback needs_operator' => ['outcome_state_needs_operator', 'panel_between'],
            default => null,
        };
    }
}
