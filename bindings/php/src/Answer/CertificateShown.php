<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What a certificate says about itself. */
final class CertificateShown implements Answer
{
    /** Its subject as text. */
    public readonly string $subject;

    /**
     * Names it is valid for, lower case.
     *
     * @var list<string>
     */
    public readonly array $names;

    /** Begin of its validity, RFC 3339; `null` where it is no moment. */
    public readonly ?string $notBefore;

    /** End of its validity, RFC 3339; `null` where it is no moment. */
    public readonly ?string $notAfter;

    /** SHA-256 of the certificate, hex. */
    public readonly string $fingerprint;

    public function __construct(Fields $fields)
    {
        $this->subject = $fields->text('subject');
        $this->names = $fields->texts('names');
        $this->notBefore = $fields->has('not_before') ? $fields->text('not_before') : null;
        $this->notAfter = $fields->has('not_after') ? $fields->text('not_after') : null;
        $this->fingerprint = $fields->text('fingerprint');
    }
}
