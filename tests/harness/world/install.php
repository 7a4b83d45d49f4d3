<?php
// Installs WordPress as its own installer does: php install.php DOCUMENT_ROOT
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = 'shop.example';
$_SERVER['REQUEST_URI'] = '/';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
// No mail to the new administrator.
function wp_new_blog_notification($title, $url, $user, $password) {}
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
$made = wp_install('Rocket Shop', 'admin', 'admin@shop.example', true, '', 'correct horse battery');
if (empty($made['user_id'])) {
    exit(1);
}
switch_theme('rocket');
update_option('permalink_structure', '/%postname%/');
delete_expired_transients(true);
