<?php

// Writes src/Answer, src/Request and src/Enum from docs/api.schema.json: php tools/generate.php [SCHEMA [FOLDER]]
declare(strict_types=1);

use RocketVps\Restore\Tools\AnswerWriter;
use RocketVps\Restore\Tools\EnumWriter;
use RocketVps\Restore\Tools\FfiHeader;
use RocketVps\Restore\Tools\RequestWriter;
use RocketVps\Restore\Tools\Schema;

foreach (glob(__DIR__ . '/generator/*.php') ?: [] as $file) {
    require_once $file;
}
$schema = Schema::read($argv[1] ?? __DIR__ . '/../../../docs/api.schema.json');
$target = $argv[2] ?? __DIR__ . '/../src';
$writers = [
    'Enum' => [new EnumWriter($schema), $schema->enums()],
    'Answer' => [new AnswerWriter($schema), $schema->answers()],
    'Request' => [new RequestWriter($schema), $schema->requests()],
];
foreach ($writers as $folder => [$writer, $names]) {
    if (!is_dir("$target/$folder")) {
        mkdir("$target/$folder", 0755, true);
    }
    // Written by hand: what all of them implement, what they are read with, and the answers of the broker's own calls.
    $byHand = ['Answer', 'Alternative', 'Fields', 'Other', 'Request', 'AuditLine', 'Approval', 'Approved'];
    $keep = array_map(static fn (string $name): string => "$target/$folder/$name.php", $byHand);
    foreach ($names as $name) {
        file_put_contents("$target/$folder/$name.php", $writer->write($name));
        $keep[] = "$target/$folder/$name.php";
    }
    foreach (array_diff(glob("$target/$folder/*.php") ?: [], $keep) as $stale) {
        unlink($stale);
    }
}
$header = file_get_contents(__DIR__ . '/../../../include/rocketvps_restore.h') ?: '';
file_put_contents("$target/rocketvps_restore.ffi.h", FfiHeader::of($header));
