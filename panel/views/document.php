<?php /** @var RocketVps\Panel\View $this */ ?>
<!DOCTYPE html>
<html lang="<?= $this->words->language ?>">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title><?= $this->e($title) ?><?= isset($domain) ? ' · ' . $this->e($domain) : '' ?></title>
<link rel="icon" type="image/svg+xml" href="<?= RocketVps\Panel\Text::attribute($this->links->asset('panel.svg')) ?>">
<link rel="stylesheet" href="<?= RocketVps\Panel\Text::attribute($this->links->asset('panel.css')) ?>">
<script src="<?= RocketVps\Panel\Text::attribute($this->links->asset('panel.js')) ?>" defer></script>
<?php if (isset($refresh)): ?>
<noscript><meta http-equiv="refresh" content="<?= (int) $refresh ?>"></noscript>
<?php endif ?>
</head>
<body class="rv-body">
<?= $content ?>
</body>
</html>
