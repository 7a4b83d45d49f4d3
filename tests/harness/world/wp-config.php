<?php
define('DB_NAME', '@SCHEMA@');
define('DB_USER', '@SCHEMA@');
define('DB_PASSWORD', '@PASSWORD@');
define('DB_HOST', 'localhost:@WORLD@/run/db.sock');
define('DB_CHARSET', 'utf8mb4');
define('DB_COLLATE', '');
define('WP_HOME', '@URL@');
define('WP_SITEURL', '@URL@');
define('WP_DEFAULT_THEME', 'rocket');
// The site stays as it is between two digests: nothing runs in the background, nothing is fetched.
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('AUTH_KEY', '@PASSWORD@-1');
define('SECURE_AUTH_KEY', '@PASSWORD@-2');
define('LOGGED_IN_KEY', '@PASSWORD@-3');
define('NONCE_KEY', '@PASSWORD@-4');
define('AUTH_SALT', '@PASSWORD@-5');
define('SECURE_AUTH_SALT', '@PASSWORD@-6');
define('LOGGED_IN_SALT', '@PASSWORD@-7');
define('NONCE_SALT', '@PASSWORD@-8');
$table_prefix = 'wp_';
if (!defined('ABSPATH')) {
    define('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
