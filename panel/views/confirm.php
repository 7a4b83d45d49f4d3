<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;
?>
<?= $this->once('restore') ?>
<input type="hidden" name="draft" value="<?= Text::attribute($draft->id) ?>">
<input type="hidden" name="seal" value="<?= Text::attribute($draft->seal()) ?>">
<div class="card alert warn">
  <p class="lead"><span aria-hidden="true">!</span> <?= $this->t('warn_replaced') ?></p>
  <ul>
    <li><?= $draft->isWhole() ? $this->t('selected_full') : $this->t('selected', '') ?>
<?php if (!$draft->isWhole()): ?>
      <ul class="selected">
<?php foreach (['files', 'database', 'config'] as $part): if (!$draft->has[$part]) { continue; } ?>
        <li><?= $this->t("component_name_$part") ?>: <?php if ($draft->take[$part] !== 'parts' || $draft->picked[$part] === []): ?><?= $this->t('panel_take_' . ($draft->take[$part] === 'all' ? 'all' : 'none')) ?><?php else: foreach (array_slice(array_keys($draft->picked[$part]), 0, 50) as $name): ?><code><?= $part === 'config' ? $this->word('item', (string) $name) : $this->e((string) $name) ?></code> <?php endforeach; if (count($draft->picked[$part]) > 50): ?>… (<?= count($draft->picked[$part]) ?>)<?php endif; endif ?></li>
<?php endforeach ?>
      </ul>
<?php endif ?>
    </li>
<?php if ($draft->exact): ?>
    <li class="bad"><?= $this->t('panel_exact') ?><?php if ($validation->changes?->files !== null): ?> <?= $this->t('panel_exact_removes', Text::number($validation->changes->files->removed)) ?><?php endif ?></li>
<?php endif ?>
<?php if ($draft->orphans): ?>
    <li class="bad"><?= $this->t('panel_orphans') ?></li>
<?php endif ?>
    <li><?= $this->t('warn_snapshot') ?></li>
    <li><?= $this->t('warn_rollback') ?></li>
    <li><?= $this->t('warn_online') ?></li>
<?php foreach ($draft->accept as $name): ?>
    <li><?= $this->t('panel_accepted') ?> <code><?= $this->e($name) ?></code></li>
<?php endforeach ?>
<?php if ($estimate !== null): ?>
    <li><?= $this->t('estimated_time', '~' . Text::duration($estimate->of[$draft->estimated()] ?? $estimate->totalSeconds)) ?></li>
<?php endif ?>
  </ul>
</div>
<div class="card">
  <?= $this->part('typed', ['domain' => $domain]) ?>
  <p><label><input type="checkbox" name="strict" value="1"> <?= $this->t('panel_strict') ?></label></p>
  <div class="bar">
    <button class="button danger"><?= $this->t('panel_restore_now') ?></button>
    <a class="button" href="<?= $this->url('check', ['draft' => $draft->id]) ?>"><?= $this->t('panel_back') ?></a>
  </div>
</div>
</form>
