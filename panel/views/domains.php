<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;
?>
<?php foreach ($running as $job): ?>
<div class="card alert active">
  <p class="lead"><?= $this->state($job->state) ?> <?= $this->t('running', $this->words->say('job_kind_' . Text::word($job->kind)), (string) $job->domain, (int) $job->percent) ?></p>
  <p><a class="button" href="<?= $this->url('job', ['job' => $job->job]) ?>"><?= $this->t('panel_watch') ?></a></p>
</div>
<?php endforeach ?>
<h2><?= $this->t('panel_domains') ?></h2>
<?php if ($domains === []): ?>
<p class="card empty"><?= $this->t('panel_no_domains') ?></p>
<?php else: ?>
<ul class="list">
<?php foreach ($domains as $one): ?>
  <li>
    <a class="name" href="<?= $this->url('backups', ['domain' => $one->domain]) ?>"><?= $this->e($one->domain) ?></a>
    <span class="dim"><?= $this->t('domain_line', Text::moment($one->newest), $one->backups) ?></span>
    <span class="side"><a href="<?= $this->url('snapshots', ['domain' => $one->domain]) ?>"><?= $this->t('menu_snapshots') ?> (<?= (int) $one->snapshots ?>)</a></span>
  </li>
<?php endforeach ?>
</ul>
<?php endif ?>
