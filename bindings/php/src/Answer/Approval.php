<?php

declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** A request that waits for a second person, or has been approved. */
final class Approval implements Answer
{
    /** Its name, for Client::approve(). */
    public readonly string $id;

    /** When it was sent first. Local time, RFC 3339. */
    public readonly string $asked;

    /** Name of the caller's user, or its number. */
    public readonly string $user;

    /** Number of the caller's user. */
    public readonly int $uid;

    /** For whom the caller says that it asks, its word alone; empty where it says nothing. */
    public readonly string $onBehalf;

    /** Name of the call. */
    public readonly string $call;

    /** The domain it is about. */
    public readonly ?string $domain;

    /**
     * What the call is asked for, as it was sent.
     *
     * @var array<string, mixed>
     */
    public readonly array $request;

    /** Who approved it, and when; null while it waits. */
    public readonly ?Approved $approved;

    public function __construct(Fields $fields)
    {
        $this->id = $fields->text('id');
        $this->asked = $fields->text('asked');
        $this->user = $fields->text('user');
        $this->uid = $fields->integer('uid');
        $this->onBehalf = $fields->has('on_behalf') ? $fields->text('on_behalf') : '';
        $this->call = $fields->text('call');
        $this->domain = $fields->has('domain') ? $fields->text('domain') : null;
        $this->request = $fields->map('request');
        $this->approved = $fields->has('approved') ? $fields->object('approved', Approved::class) : null;
    }
}
