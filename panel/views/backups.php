<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Engine;
use RocketVps\Panel\Text;

$moods = ['valid' => 'pass', 'invalid' => 'fail', 'unknown' => 'not_checked'];
$signs = ['valid' => '✓', 'invalid' => '✕', 'unknown' => '–'];
?>
<p class="lede"><?= $this->t('panel_backups_about') ?></p>
<?php if ($backups === []): ?>
<p class="card empty"><?= $this->t('no_backups', $domain) ?></p>
<?php else: ?>
<table class="stack">
  <caption class="unseen"><?= $this->t('panel_backups') ?></caption>
  <thead><tr><th scope="col"><?= $this->t('panel_date') ?></th><th scope="col" class="num"><?= $this->t('panel_size') ?></th><th scope="col"><?= $this->t('panel_kind') ?></th><th scope="col"><?= $this->t('panel_integrity') ?></th><th scope="col" class="num"><?= $this->t('component_name_files') ?></th><th scope="col"><span class="unseen"><?= $this->t('panel_actions') ?></span></th></tr></thead>
  <tbody>
<?php foreach ($backups as $backup): $name = Engine::nameOf($backup->path); $word = Text::word($backup->integrity); ?>
  <tr>
    <th scope="row" data-label="<?= $this->t('panel_date') ?>"><?= $this->e(Text::moment($backup->date)) ?><span class="file"><?= $this->e($backup->name) ?></span></th>
    <td class="num" data-label="<?= $this->t('panel_size') ?>"><?= $this->e(Text::bytes($backup->size)) ?></td>
    <td data-label="<?= $this->t('panel_kind') ?>"><?= $this->word('kind', $backup->kind) ?></td>
    <td data-label="<?= $this->t('panel_integrity') ?>"><span class="badge <?= $moods[$word] ?? '' ?>"><span aria-hidden="true"><?= $signs[$word] ?? '·' ?></span> <?= $this->word('integrity', $backup->integrity) ?></span></td>
    <td class="num" data-label="<?= $this->t('component_name_files') ?>"><?= $this->e(Text::number($backup->fileCount)) ?></td>
    <td class="actions">
      <a class="button" href="<?= $this->url('preview', ['domain' => $domain, 'backup' => $name]) ?>"><?= $this->t('panel_preview') ?><span class="unseen"> <?= $this->e(Text::moment($backup->date)) ?></span></a>
      <a class="button main" href="<?= $this->url('select', ['domain' => $domain, 'backup' => $name]) ?>"><?= $this->t('panel_restore') ?><span class="unseen"> <?= $this->e(Text::moment($backup->date)) ?></span></a>
    </td>
  </tr>
<?php endforeach ?>
  </tbody>
</table>
<?php endif ?>
<section class="card">
  <h2><?= $this->t('menu_verify') ?></h2>
  <p class="dim"><?= $this->t('menu_verify_about') ?></p>
  <?= $this->shared('verify') ?>
    <input type="hidden" name="domain" value="<?= Text::attribute($domain) ?>">
    <button class="button"><?= $this->t('panel_verify') ?></button>
  </form>
</section>
