<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Ending;

$error = $status->error;
$ending = new Ending($status);
$mood = $ending->mood();
$site = $ending->site();
$isStuck = $ending->isStuck() && $domain !== null;
$phase = strtr((string) ($error->context['phase'] ?? ''), [' ' => '_', '-' => '_']);
?>
<div class="card alert <?= $mood ?>" role="status">
  <p class="lead"><span aria-hidden="true"><?= $mood === 'warn' ? '!' : '✕' ?></span> <?= $site === null ? $this->word('code', $ending->code) : $this->h($site[0]) ?></p>
<?php if ($site !== null): ?>
  <p><?= $this->t($site[1]) ?></p>
<?php endif ?>
<?php if ($isStuck): ?>
  <p><?= $this->t($error->hint === '' ? 'panel_stuck_unsaid' : 'panel_stuck') ?></p>
<?php endif ?>
</div>
<section class="card facts">
  <dl>
<?php if ($phase !== ''): ?>
    <div><dt><?= $this->t('label_phase') ?></dt><dd><?= $this->word('at', $phase) ?></dd></div>
<?php endif ?>
    <div><dt><?= $this->t('label_error') ?></dt><dd><?= $this->word('code', $ending->code) ?></dd></div>
    <div><dt><?= $this->t('panel_detail') ?></dt><dd><?= $this->said($error->message) ?></dd></div>
<?php if ($error->hint !== ''): ?>
    <div><dt><?= $this->t('panel_what_to_do') ?></dt><dd><?= $this->said($error->hint) ?></dd></div>
<?php endif ?>
    <div><dt><?= $this->t('panel_code') ?></dt><dd><code><?= $this->e($ending->code) ?></code></dd></div>
  </dl>
<?php if ($isStuck): ?>
  <?= $this->part('recover', ['domain' => $domain]) ?>
<?php endif ?>
</section>
<?= $this->part('events_of', ['status' => $status]) ?>
<?php if ($domain !== null): ?>
<p><a class="button" href="<?= $this->url('backups', ['domain' => $domain]) ?>"><?= $this->t('panel_backups') ?></a></p>
<?php endif ?>
