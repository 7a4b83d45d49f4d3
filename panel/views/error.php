<?php /** @var RocketVps\Panel\View $this */ ?>
<div class="card alert fail" role="alert">
  <p class="lead"><span aria-hidden="true">✕</span> <?= $this->e($message) ?></p>
<?php if (isset($exception)): ?>
  <p><?= $this->said($exception->getMessage()) ?></p>
<?php if ($exception->hint !== ''): ?>
  <p class="hint"><?= $this->said($exception->hint) ?></p>
<?php endif ?>
  <p class="dim"><code><?= $this->e($exception->name) ?></code></p>
<?php endif ?>
</div>
<?php if ($this->settings->user !== ''): ?>
<p><a class="button" href="<?= $this->url('') ?>"><?= $this->t('panel_domains') ?></a></p>
<?php endif ?>
