<?php
// What changed from one tree to another, counted: php compare.php OLD NEW. Files and links; content decides, not time.
// A file where a folder is now is a changed file; a folder where a file is now is a changed folder, and not counted here.
[, $old, $new] = $argv;
function entries(string $root): array {
    $found = [];
    $walk = new RecursiveIteratorIterator(new RecursiveDirectoryIterator($root, FilesystemIterator::SKIP_DOTS));
    foreach ($walk as $path => $entry) {
        $name = substr($path, strlen($root) + 1);
        $mode = decoct(lstat($path)['mode']);
        $found[$name] = is_link($path) ? "$mode " . readlink($path) : "$mode " . hash_file('sha256', $path);
    }
    return $found;
}
$before = entries($old);
$after = entries($new);
$count = ['added' => 0, 'changed' => 0, 'removed' => 0];
foreach ($after as $name => $is) {
    if (!isset($before[$name])) {
        $was_folder = is_dir("$old/$name") && !is_link("$old/$name");
        $count['added'] += $was_folder ? 0 : 1;
    } elseif ($before[$name] !== $is) {
        $count['changed']++;
    }
}
foreach ($before as $name => $was) {
    if (!isset($after[$name])) {
        $is_folder = is_dir("$new/$name") && !is_link("$new/$name");
        $count[$is_folder ? 'changed' : 'removed']++;
    }
}
printf("%d added, %d changed, %d removed\n", $count['added'], $count['changed'], $count['removed']);
