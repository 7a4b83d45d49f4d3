<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;
?>
<?= $this->once('rollback') ?>
<input type="hidden" name="domain" value="<?= Text::attribute($domain) ?>">
<?php if ($job !== ''): ?>
<input type="hidden" name="job" value="<?= Text::attribute($job) ?>">
<?php else: ?>
<input type="hidden" name="snapshot" value="<?= Text::attribute($name) ?>">
<?php endif ?>
<div class="card alert warn">
  <p class="lead"><span aria-hidden="true">!</span> <?= $this->t('warn_rollback_now') ?></p>
  <p><?= $this->t('rollback_to') ?> <strong><?= $this->e(Text::moment($snapshot->created)) ?></strong>, <?= $this->word('form', $snapshot->form) ?></p>
  <p><?= $this->t('panel_kept_until', Text::deadline($snapshot->expiresInSeconds, $stamp), Text::duration($snapshot->expiresInSeconds)) ?></p>
</div>
<div class="card">
  <?= $this->part('typed', ['domain' => $domain]) ?>
  <div class="bar">
    <button class="button danger"><?= $this->t('panel_rollback') ?></button>
    <a class="button" href="<?= $this->url('snapshots', ['domain' => $domain]) ?>"><?= $this->t('panel_back') ?></a>
  </div>
</div>
</form>
