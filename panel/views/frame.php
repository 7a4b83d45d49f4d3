<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Words;

$tabs = ['backups' => 'panel_backups', 'snapshots' => 'menu_snapshots', 'jobs' => 'menu_jobs', 'logs' => 'menu_logs', 'drills' => 'panel_drills'];
if ($this->settings->audit !== null) {
    $tabs['audit'] = 'panel_audit';
}
$languages = $this->settings->language === null && $this->settings->user !== '' ? array_diff_key(Words::LANGUAGES, [$this->words->language => 1]) : [];
$note = 'panel_note_' . $this->request->query('note');
?>
<div class="rv" lang="<?= $this->words->language ?>">
<a class="skip" href="#content"><?= $this->t('panel_skip') ?></a>
<header class="top">
  <a class="brand" href="<?= $this->url('') ?>"><span class="mark" aria-hidden="true">↺</span> <?= $this->h('title_menu') ?></a>
  <span class="who">
<?php foreach ($languages as $code => $name): ?>
    <a href="<?= $this->url((string) $this->links->page(), ['lang' => $code] + $this->request->address()) ?>" hreflang="<?= $code ?>" lang="<?= $code ?>"><?= $name ?></a>
<?php endforeach ?>
<?php if ($this->settings->user !== ''): ?>
    <span class="user"><?= $this->e($this->settings->user) ?></span>
<?php endif ?>
  </span>
</header>
<?php if (isset($domain)): ?>
<nav class="tabs" aria-label="<?= $this->e($domain) ?>">
  <p class="domain"><?= $this->e($domain) ?></p>
  <ul>
<?php foreach ($tabs as $page => $word): ?>
    <li><a href="<?= $this->url($page, ['domain' => $domain]) ?>"<?= ($tab ?? '') === $page ? ' aria-current="page"' : '' ?>><?= $this->t($word) ?></a></li>
<?php endforeach ?>
  </ul>
</nav>
<?php endif ?>
<main id="content" tabindex="-1">
<?php if ($this->words->has($note)): ?>
  <p class="note" role="status"><?= $this->t($note) ?></p>
<?php endif ?>
  <h1><?= $this->e($title) ?></h1>
<?php if (isset($subtitle)): ?>
  <p class="subtitle"><?= $this->e($subtitle) ?></p>
<?php endif ?>
<?= $content ?>
</main>
</div>
