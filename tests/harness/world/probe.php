<?php
// A page that needs files and database, cheap enough to be asked for every 20 ms. It says on which side each of them is.
define('SHORTINIT', true);
require __DIR__ . '/wp-load.php';
global $wpdb;
$files = include __DIR__ . '/wp-content/rv-side.php';
$database = $wpdb->get_var("SELECT option_value FROM {$wpdb->options} WHERE option_name = 'rv_side'");
$posts = (int) $wpdb->get_var("SELECT COUNT(*) FROM {$wpdb->posts} WHERE ID <= 20");
header('Content-Type: text/plain');
printf("RV files=%s db=%s posts=%d bytes=%d END\n", $files, $database, $posts, filesize(__DIR__ . '/wp-settings.php'));
