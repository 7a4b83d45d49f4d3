<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;
?>
<?php if ($jobs === []): ?>
<p class="card empty"><?= $this->t('no_jobs') ?></p>
<?php else: ?>
<table class="stack">
  <caption class="unseen"><?= $this->t('menu_jobs') ?></caption>
  <thead><tr><th scope="col"><?= $this->t('panel_started') ?></th><th scope="col"><?= $this->t('panel_what') ?></th><th scope="col"><?= $this->t('panel_state') ?></th><th scope="col" class="num"><?= $this->t('panel_took') ?></th></tr></thead>
  <tbody>
<?php foreach (array_slice($jobs, 0, 100) as $job): ?>
  <tr>
    <th scope="row" data-label="<?= $this->t('panel_started') ?>"><a href="<?= $this->url('job', ['job' => $job->job]) ?>"><?= $this->e(Text::moment($job->started)) ?></a></th>
    <td data-label="<?= $this->t('panel_what') ?>"><?= $this->word('job_kind', $job->kind) ?></td>
    <td data-label="<?= $this->t('panel_state') ?>"><?= $this->state($job->state) ?><?= $job->resumable ? ' <span class="dim">' . $this->t('state_resumable') . '</span>' : '' ?></td>
    <td class="num" data-label="<?= $this->t('panel_took') ?>"><?= $this->e(Text::duration($job->elapsedSeconds)) ?></td>
  </tr>
<?php endforeach ?>
  </tbody>
</table>
<?php endif ?>
