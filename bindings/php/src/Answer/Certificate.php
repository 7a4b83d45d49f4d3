<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What a certificate says about itself. */
final class Certificate implements Answer
{
    /** Its subject as text. */
    public readonly string $subject;

    /**
     * Names it is valid for, lower case.
     *
     * @var list<string>
     */
    public readonly array $names;

    /** Begin of its validity, seconds since 1970. */
    public readonly int $notBefore;

    /** End of its validity, seconds since 1970. */
    public readonly int $notAfter;

    /** SHA-256 of the certificate, hex. */
    public readonly string $fingerprint;

    public function __construct(Fields $fields)
    {
        $this->subject = $fields->text('subject');
        $this->names = $fields->texts('names');
        $this->notBefore = $fields->integer('not_before');
        $this->notAfter = $fields->integer('not_after');
        $this->fingerprint = $fields->text('fingerprint');
    }
}
