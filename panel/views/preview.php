<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Engine;
use RocketVps\Panel\Text;

$name = Engine::nameOf($backup->path);
$p = $preview;
$mood = ['valid' => 'pass', 'invalid' => 'fail'][Text::word($p->backup->integrity)] ?? 'not_checked';
?>
<div class="bar">
  <a class="button main" href="<?= $this->url('select', ['domain' => $domain, 'backup' => $name]) ?>"><?= $this->t('panel_restore_this') ?></a>
  <a class="button" href="<?= $this->url('backups', ['domain' => $domain]) ?>"><?= $this->t('panel_back') ?></a>
</div>
<?php foreach ($p->warnings as $warning): ?>
<p class="card alert warn"><span aria-hidden="true">!</span> <span class="unseen"><?= $this->t('outcome_warn') ?>:</span> <?= $this->said($warning) ?></p>
<?php endforeach ?>
<div class="grid">
<section class="card">
  <h2><?= $this->h('head_backup') ?></h2>
  <dl>
    <div><dt><?= $this->t('label_backup_date') ?></dt><dd><?= $this->e(Text::moment($p->backup->date)) ?></dd></div>
    <div><dt><?= $this->t('label_backup_size') ?></dt><dd><?= $this->e(Text::bytes($p->backup->size)) ?></dd></div>
    <div><dt><?= $this->t('label_compression') ?></dt><dd><?= $this->e(Text::word($p->backup->compression)) ?></dd></div>
    <div><dt><?= $this->t('label_integrity') ?></dt><dd><span class="badge <?= $mood ?>"><span aria-hidden="true"><?= $mood === 'pass' ? '✓' : ($mood === 'fail' ? '✕' : '–') ?></span> <?= $this->word('integrity', $p->backup->integrity) ?></span></dd></div>
    <div><dt><?= $this->t('label_kind') ?></dt><dd><?= $this->word('kind', $p->backup->kind) ?><?= count($p->chain->archives) > 1 ? ', ' . $this->t('chain_of', count($p->chain->archives)) : '' ?></dd></div>
<?php if ($p->files->application->name !== null): ?>
    <div><dt><?= $this->t('panel_application') ?></dt><dd><?= $this->e($p->files->application->name) ?> <?= $this->e($p->files->application->version) ?></dd></div>
<?php endif ?>
  </dl>
</section>
<section class="card">
  <h2><?= $this->h('head_estimate') ?></h2>
  <dl>
<?php if ($p->estimate !== null): foreach (['files' => $p->estimate->filesSeconds, 'database' => $p->estimate->databaseSeconds, 'config' => $p->estimate->configSeconds, 'verify' => $p->estimate->verifySeconds, 'total' => $p->estimate->totalSeconds] as $part => $seconds): ?>
    <div><dt><?= $this->t("label_$part") ?></dt><dd>~<?= $this->e(Text::duration($seconds)) ?></dd></div>
<?php endforeach; endif ?>
    <div><dt><?= $this->t('label_required') ?></dt><dd><?= $this->e(Text::bytes($p->space->required)) ?></dd></div>
    <div><dt><?= $this->t('label_available') ?></dt><dd><?= $this->e(Text::bytes($p->space->available)) ?> <?= $p->space->enough === true ? '✓' : '' ?></dd></div>
  </dl>
</section>
</div>
<section class="card" id="files">
  <h2><?= $this->h('head_files', Text::number($p->files->count), Text::bytes($p->files->bytes)) ?></h2>
  <?= $this->part('crumbs', ['domain' => $domain, 'backup' => $name, 'at' => $at, 'draft' => null]) ?>
  <?= $this->part('tree', ['domain' => $domain, 'backup' => $name, 'files' => $p->files, 'at' => $at, 'draft' => null]) ?>
</section>
<section class="card">
  <h2><?= $this->h('component_name_database') ?></h2>
<?php if ($p->database === null): ?>
  <p class="dim"><?= $this->t('none_in_backup') ?></p>
<?php else: ?>
  <p><?= $this->t('component_database', Text::number($p->database->tables), Text::bytes($p->database->bytes)) ?>, <?= $this->t('panel_rows', Text::number($p->database->rows)) ?></p>
  <details><summary><?= $this->t('tables_of_backup') ?> <?= count($p->database->tableList) ?></summary>
  <ul class="plain">
<?php foreach ($p->database->tableList as $table): ?>
    <li><code><?= $this->e($table->name) ?></code> <span class="dim"><?= $this->t('rows_and_size', Text::number($table->rows), Text::bytes($table->bytes)) ?></span></li>
<?php endforeach ?>
<?php foreach (['views', 'routines', 'triggers', 'events'] as $kind): foreach ($p->database->$kind as $object): ?>
    <li><code><?= $this->e($object) ?></code> <span class="dim">(<?= $this->e($kind) ?>)</span></li>
<?php endforeach; endforeach ?>
  </ul></details>
<?php endif ?>
</section>
<section class="card">
  <h2><?= $this->h('head_config') ?></h2>
<?php if ($p->config === []): ?>
  <p class="dim"><?= $this->t('none_in_backup') ?></p>
<?php else: ?>
  <ul class="plain">
<?php foreach ($p->config as $file): ?>
    <li><?= $this->word('item', $file->item) ?> <code><?= $this->e($file->name) ?></code> <span class="dim"><?= $this->e(Text::bytes($file->size)) ?></span></li>
<?php endforeach ?>
  </ul>
<?php endif ?>
</section>
