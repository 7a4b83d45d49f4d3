<?php

// Generated from docs/api.schema.json: php tools/generate.php
declare(strict_types=1);

namespace RocketVps\Restore\Answer;

/** What a PEM file holds. */
final class PemContent implements Alternative
{
    /** The first certificate; `null` without one. */
    public readonly ?CertificateShown $certificate;

    /** Number of certificates. */
    public readonly int $certificates;

    /** Whether there is a private key. */
    public readonly bool $privateKey;

    public function __construct(Fields $fields)
    {
        $this->certificate = $fields->has('certificate') ? $fields->object('certificate', CertificateShown::class) : null;
        $this->certificates = $fields->integer('certificates');
        $this->privateKey = $fields->flag('private_key');
    }

    public static function isIn(Fields $fields): bool
    {
        return $fields->haveAll('certificate', 'certificates', 'private_key');
    }
}
