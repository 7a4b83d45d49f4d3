<?php

/**
 * The page on its own. A file of the administrator says who asks: $RV_PANEL_SETTINGS, else
 * /etc/rocketvps-restore/panel.php. It returns RocketVps\Panel\Settings; without it nothing is shown.
 */
declare(strict_types=1);

require dirname(__DIR__) . '/panel.php';

$file = $_SERVER['RV_PANEL_SETTINGS'] ?? getenv('RV_PANEL_SETTINGS');
$file = is_string($file) && $file !== '' ? $file : '/etc/rocketvps-restore/panel.php';
$settings = is_file($file) ? require $file : null;
RocketVps\Panel\Panel::serve($settings instanceof RocketVps\Panel\Settings ? $settings : new RocketVps\Panel\Settings(user: '', domains: []));
