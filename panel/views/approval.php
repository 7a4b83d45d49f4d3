<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;
?>
<div class="card alert warn" role="status">
  <p class="lead"><span aria-hidden="true">!</span> <?= $this->t('panel_approval_about') ?></p>
  <p><?= $this->said($waiting['hint']) ?></p>
</div>
<section class="card facts">
  <dl>
    <div><dt><?= $this->t('panel_approval_id') ?></dt><dd><code class="id"><?= $this->e($id) ?></code></dd></div>
    <div><dt><?= $this->t('panel_approval_who') ?></dt><dd><?= $this->t('panel_approval_admin') ?></dd></div>
    <div><dt><?= $this->t('panel_approval_command') ?></dt><dd><code>rocketvps-restore approve <?= $this->e($id) ?></code></dd></div>
    <div><dt><?= $this->t('panel_what') ?></dt><dd><code><?= $this->e($waiting['call']) ?></code></dd></div>
  </dl>
  <div class="bar"><?= $this->once('again') ?>
    <input type="hidden" name="id" value="<?= Text::attribute($id) ?>">
    <button class="button main"><?= $this->t('panel_send_again') ?></button>
  </form></div>
</section>
