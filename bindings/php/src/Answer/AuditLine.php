<?php

declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** Who asked the broker for what, and how it came out. */
final class AuditLine implements Answer
{
    /** Local time, RFC 3339. */
    public readonly string $at;

    /** Name of the caller's user, or its number. */
    public readonly string $user;

    /** Number of the caller's user. */
    public readonly int $uid;

    /** The caller's process. */
    public readonly int $pid;

    /** The program it ran; empty where it had ended. */
    public readonly string $executable;

    /** For whom the caller says that it asks, its word alone; empty where it says nothing. */
    public readonly string $onBehalf;

    /** Name of the call; empty where the request could not be read. */
    public readonly string $call;

    /** The domain; null where it is every domain, or none. */
    public readonly ?string $domain;

    /** The job that was begun or asked about. */
    public readonly ?string $job;

    /** Who approved it, where that was needed. */
    public readonly ?string $approvedBy;

    /** `ok`, or the code of the error; `begun` before a call that changes something. */
    public readonly string $outcome;

    /** Calls of this user before it that changed nothing and were not written down: there were too many in a minute. */
    public readonly int $leftOut;

    public function __construct(Fields $fields)
    {
        $this->at = $fields->text('at');
        $this->user = $fields->text('user');
        $this->uid = $fields->integer('uid');
        $this->pid = $fields->integer('pid');
        $this->executable = $fields->text('executable');
        $this->onBehalf = $fields->has('on_behalf') ? $fields->text('on_behalf') : '';
        $this->call = $fields->text('call');
        $this->domain = $fields->has('domain') ? $fields->text('domain') : null;
        $this->job = $fields->has('job') ? $fields->text('job') : null;
        $this->approvedBy = $fields->has('approved_by') ? $fields->text('approved_by') : null;
        $this->outcome = $fields->text('outcome');
        $this->leftOut = $fields->has('left_out') ? $fields->integer('left_out') : 0;
    }
}
