<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;
?>
<?= $this->once('delete') ?>
<input type="hidden" name="domain" value="<?= Text::attribute($domain) ?>">
<input type="hidden" name="snapshot" value="<?= Text::attribute($name) ?>">
<div class="card alert fail">
  <p class="lead"><span aria-hidden="true">!</span> <?= $this->t('warn_delete') ?></p>
  <p><strong><?= $this->e(Text::moment($snapshot->created)) ?></strong>, <?= $this->word('form', $snapshot->form) ?></p>
</div>
<div class="card">
  <?= $this->part('typed', ['domain' => $domain]) ?>
  <div class="bar">
    <button class="button danger"><?= $this->t('panel_delete') ?></button>
    <a class="button" href="<?= $this->url('snapshots', ['domain' => $domain]) ?>"><?= $this->t('panel_back') ?></a>
  </div>
</div>
</form>
