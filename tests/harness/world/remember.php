<?php
// A page of what a Laravel remembers, in the form that its cache has there (Cache::rememberForever('title', …)).
define('SHORTINIT', true);
require __DIR__ . '/wp-load.php';
$env = parse_ini_file(__DIR__ . '/.env');
$slug = trim(preg_replace('/[^a-z0-9]+/', '_', strtolower($env['APP_NAME'])), '_');
$key = "{$slug}_cache_title";
$ask = fn () => $GLOBALS['wpdb']->get_var("SELECT option_value FROM {$GLOBALS['wpdb']->options} WHERE option_name = 'blogname'");
if ($env['CACHE_STORE'] === 'redis') {
    $redis = new Redis();
    $redis->connect($env['REDIS_HOST']);
    $redis->select(1);
    $redis->setOption(Redis::OPT_PREFIX, "{$slug}_database_");
    $kept = $redis->get($key);
    if ($kept === false) {
        $redis->set($key, serialize($kept = $ask()));
    } else {
        $kept = unserialize($kept);
    }
} else {
    $memcached = new Memcached();
    $memcached->addServer($env['MEMCACHED_HOST'], 0);
    $kept = $memcached->get($key);
    if ($kept === false) {
        $memcached->set($key, $kept = $ask());
    }
}
echo $kept;
