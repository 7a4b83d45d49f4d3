<?php

// Copy it to /etc/rocketvps-restore/panel.php. Whom the web server let in (auth_basic, a client certificate, single
// sign-on) sees the domains that stand here beside his name, and nobody else sees anything.
declare(strict_types=1);

$domains = [
    'an' => ['shop.example'],
    'operator' => ['*'],
];
$user = $_SERVER['REMOTE_USER'] ?? '';

return new RocketVps\Panel\Settings(
    user: isset($domains[$user]) ? $user : '',
    domains: $domains[$user] ?? [],
);
