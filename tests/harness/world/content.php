<?php
// Media files and the rows of posts and post metas, the same for the same site: php content.php SITE UPLOADS TSV_FOLDER
[, $site, $uploads, $folder] = $argv;
$sizes = [
    // files, average bytes of a file, posts, least and most words, metas
    'small' => [120, 6000, 60, 20, 80, 240],
    'demo' => [2700, 22000, 5000, 60, 200, 18000],
    'bench' => [2450, 84000, 40000, 60, 500, 160000],
];
[$files, $average, $posts, $least, $most, $metas] = $sizes[$site];
$random = new Random\Randomizer(new Random\Engine\Xoshiro256StarStar(20251004));

// Photographs do not compress: one block of noise, cut at random places, is as good and quick.
$noise = $random->getBytes(4 << 20);
for ($n = 0; $n < $files; $n++) {
    $month = sprintf('%s/%d/%02d', $uploads, 2022 + $n % 3, 1 + intdiv($n, 3) % 12);
    if (!is_dir($month)) {
        mkdir($month, 0755, true);
    }
    // Many thumbnails, a few originals.
    $share = $n % 8 == 0 ? 5 : 0.43;
    $length = max(200, (int) ($average * $share * $random->getInt(60, 140) / 100));
    $bytes = $random->getBytes(64);
    for ($left = $length - 64; $left > 0; $left -= 1 << 20) {
        $piece = min($left, 1 << 20);
        $bytes .= substr($noise, $random->getInt(0, (4 << 20) - $piece), $piece);
    }
    file_put_contents("$month/photo-$n.jpg", $bytes);
}

$words = [];
$letters = 'abcdefghijklmnopqrstuvwxyz';
for ($n = 0; $n < 6000; $n++) {
    $word = '';
    for ($length = $random->getInt(2, 10); $length > 0; $length--) {
        $word .= $letters[$random->getInt(0, 25)];
    }
    $words[] = $word;
}
$words[] = "l'été";
$words[] = 'phở';
$words[] = '🚀';
$last = count($words) - 1;
mt_srand(20251004);
$out = fopen("$folder/posts.tsv", 'w');
for ($id = 1; $id <= $posts; $id++) {
    $text = '<p>';
    for ($count = mt_rand($least, $most); $count > 0; $count--) {
        $text .= $words[mt_rand(0, $last)] . ($count % 40 == 0 ? '.</p>\\n<p>' : ' ');
    }
    $date = gmdate('Y-m-d H:i:s', 1600000000 + $id * 2000);
    fwrite($out, "$id\t$date\tPost number $id\tpost-number-$id\t$text</p>\n");
}
fclose($out);
$out = fopen("$folder/postmeta.tsv", 'w');
for ($n = 0; $n < $metas; $n++) {
    $value = sprintf('a:3:{s:5:"width";i:%d;s:4:"file";s:24:"%s";s:3:"sum";s:32:"%s";}', mt_rand(100, 4000), bin2hex(pack('J', mt_rand()) . 'jpeg'), md5((string) $n));
    fwrite($out, sprintf("%d\t%s\t%s\n", 1 + $n % $posts, ['_edit_lock', '_wp_attachment_metadata', '_thumbnail_id', '_price'][$n % 4], $value));
}
fclose($out);
