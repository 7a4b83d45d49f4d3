<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;

$error = $status->error;
$code = Text::word($error->code);
$state = Text::word($status->state);
$phase = strtr((string) ($error->context['phase'] ?? ''), [' ' => '_', '-' => '_']);
$changed = in_array(Text::word($status->kind), ['restore', 'rollback'], true);
?>
<div class="card alert <?= $state === 'rolled_back' || $code === 'cancelled' ? 'warn' : 'fail' ?>" role="status">
  <p class="lead"><span aria-hidden="true"><?= $state === 'rolled_back' || $code === 'cancelled' ? '!' : '✕' ?></span> <?= $changed ? $this->h("outcome_state_$state") : $this->word('code', $code) ?></p>
<?php if ($changed): ?>
  <p><?= $this->t("after_$state") ?></p>
<?php endif ?>
</div>
<section class="card facts">
  <dl>
<?php if ($phase !== ''): ?>
    <div><dt><?= $this->t('label_phase') ?></dt><dd><?= $this->word('at', $phase) ?></dd></div>
<?php endif ?>
    <div><dt><?= $this->t('label_error') ?></dt><dd><?= $this->word('code', $code) ?></dd></div>
    <div><dt><?= $this->t('panel_detail') ?></dt><dd><?= $this->said($error->message) ?></dd></div>
<?php if ($error->hint !== ''): ?>
    <div><dt><?= $this->t('panel_what_to_do') ?></dt><dd><?= $this->said($error->hint) ?></dd></div>
<?php endif ?>
    <div><dt><?= $this->t('panel_code') ?></dt><dd><code><?= $this->e($code) ?></code></dd></div>
  </dl>
<?php if ($state === 'needs_operator' && $domain !== null): ?>
  <div class="bar"><?= $this->once('recover') ?>
    <input type="hidden" name="domain" value="<?= Text::attribute($domain) ?>">
    <button class="button main"><?= $this->t('menu_recover') ?></button>
  </form></div>
<?php endif ?>
</section>
<?= $this->part('events_of', ['status' => $status]) ?>
<?php if ($domain !== null): ?>
<p><a class="button" href="<?= $this->url('backups', ['domain' => $domain]) ?>"><?= $this->t('panel_backups') ?></a></p>
<?php endif ?>
