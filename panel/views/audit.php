<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;
?>
<table class="stack">
  <caption class="unseen"><?= $this->t('panel_audit') ?></caption>
  <thead><tr><th scope="col"><?= $this->t('panel_date') ?></th><th scope="col"><?= $this->t('panel_user') ?></th><th scope="col"><?= $this->t('panel_what') ?></th><th scope="col"><?= $this->t('panel_state') ?></th></tr></thead>
  <tbody>
<?php foreach (array_slice($lines, 0, 200) as $line): ?>
  <tr>
    <th scope="row" data-label="<?= $this->t('panel_date') ?>"><?= $this->e(Text::moment($line['time'])) ?></th>
    <td data-label="<?= $this->t('panel_user') ?>"><?= $this->e($line['user']) ?></td>
    <td data-label="<?= $this->t('panel_what') ?>"><code><?= $this->e($line['call']) ?></code></td>
    <td data-label="<?= $this->t('panel_state') ?>"><?= $this->e($line['outcome']) ?></td>
  </tr>
<?php endforeach ?>
  </tbody>
</table>
