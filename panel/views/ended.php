<?php
/**
 * A job that has ended and has no page of its own for what it gave.
 *
 * @var RocketVps\Panel\View $this
 */
use RocketVps\Panel\Ending;
use RocketVps\Restore\Answer\Recovery;

$ending = new Ending($status);
$mood = $ending->mood();
$recovery = $status->result instanceof Recovery ? $status->result : null;
$isStuck = $ending->isStuck() && $domain !== null;
$allowed = $this->settings->allows(...);
$recovered = array_filter($recovery->recovered ?? [], static fn ($one) => $allowed($one->domain));
$busy = array_filter($recovery->busy ?? [], $allowed);
?>
<div class="card alert <?= $mood ?>" role="status">
  <p class="lead"><span aria-hidden="true"><?= ['pass' => '✓', 'warn' => '!', 'fail' => '✕'][$mood] ?></span> <?= $this->word('job_kind', $status->kind) ?>: <?= $this->state($status) ?></p>
<?php if ($status->result === null): ?>
  <p><?= $this->t('panel_report_lost') ?></p>
<?php endif ?>
<?php if ($ending->site() !== null): ?>
  <p><?= $this->t($ending->site()[1]) ?></p>
<?php endif ?>
<?php if ($isStuck): ?>
  <p><?= $this->t('panel_stuck_unsaid') ?></p>
<?php endif ?>
</div>
<?php if ($recovery !== null): ?>
<section class="card">
  <h2><?= $this->t('panel_recovered') ?></h2>
<?php if ($recovered === []): ?>
  <p class="dim"><?= $this->t('panel_nothing_recovered') ?></p>
<?php else: ?>
  <ul class="plain recovered">
<?php foreach ($recovered as $one): ?>
    <li class="row"><span><?= $this->e($one->domain) ?>: <a href="<?= $this->url('job', ['job' => $one->job]) ?>"><code><?= $this->e($one->job) ?></code></a></span> <?= $this->state($one->state) ?></li>
<?php endforeach ?>
  </ul>
<?php endif ?>
</section>
<?php if ($busy !== []): ?>
<section class="card">
  <h2><?= $this->t('panel_busy') ?></h2>
  <ul class="plain busy">
<?php foreach ($busy as $one): ?>
    <li><?= $this->e($one) ?></li>
<?php endforeach ?>
  </ul>
</section>
<?php endif ?>
<?php endif ?>
<?php if ($isStuck): ?>
<?= $this->part('recover', ['domain' => $domain]) ?>
<?php endif ?>
<?= $this->part('events_of', ['status' => $status]) ?>
<?php if ($domain !== null): ?>
<p><a class="button" href="<?= $this->url('backups', ['domain' => $domain]) ?>"><?= $this->t('panel_backups') ?></a></p>
<?php endif ?>
