<?php

// The package's unit tests, by PHPUnit. Speaks TAP: php unit.php
declare(strict_types=1);

require __DIR__ . '/harness/tap.php';
$report = (string) tempnam('/tmp', 'rv-php-');
passthru(implode(' ', array_map('escapeshellarg', ['phpunit', '--configuration', __DIR__ . '/../../bindings/php/phpunit.xml.dist', '--log-junit', $report])), $status);
$document = @simplexml_load_file($report);
unlink($report);
foreach ($document === false ? [] : $document->xpath('//testcase') as $case) {
    check(!isset($case->failure) && !isset($case->error), "$case[class]::$case[name]");
}
check($status === 0, 'phpunit ended well', $status);
finish();
