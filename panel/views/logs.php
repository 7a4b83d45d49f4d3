<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;
?>
<p class="lede"><?= $this->t('menu_logs_about') ?></p>
<?php if ($logs === []): ?>
<p class="card empty"><?= $this->t('no_logs') ?></p>
<?php else: ?>
<table class="stack">
  <caption class="unseen"><?= $this->t('menu_logs') ?></caption>
  <thead><tr><th scope="col"><?= $this->t('panel_date') ?></th><th scope="col"><?= $this->t('panel_file') ?></th><th scope="col" class="num"><?= $this->t('panel_size') ?></th><th scope="col"><?= $this->t('panel_state') ?></th></tr></thead>
  <tbody>
<?php foreach (array_slice($logs, 0, 200) as $log): ?>
  <tr>
    <th scope="row" data-label="<?= $this->t('panel_date') ?>"><?= $this->e(Text::moment($log->date)) ?></th>
    <td data-label="<?= $this->t('panel_file') ?>"><a href="<?= $this->url('log', ['domain' => $domain, 'name' => $log->name]) ?>"><code><?= $this->e($log->name) ?></code></a></td>
    <td class="num" data-label="<?= $this->t('panel_size') ?>"><?= $this->e(Text::bytes($log->size)) ?></td>
    <td data-label="<?= $this->t('panel_state') ?>"><?= $this->state($log->failed ? 'failed' : 'done') ?></td>
  </tr>
<?php endforeach ?>
  </tbody>
</table>
<?php endif ?>
