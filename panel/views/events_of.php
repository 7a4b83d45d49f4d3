<?php /** @var RocketVps\Panel\View $this */ ?>
<?php if ($status->events !== []): ?>
<details class="card events"><summary><?= $this->t('panel_events') ?> (<?= count($status->events) ?>)</summary>
<?= $this->part('events', ['events' => array_slice($status->events, -200)]) ?>
</details>
<?php endif ?>
<p class="dim"><?= $this->t('panel_job') ?> <code><?= $this->e($status->job) ?></code>
<?php if ($status->log !== null && $status->domain !== null): ?>
  · <a href="<?= $this->url('log', ['domain' => $status->domain, 'name' => basename($status->log)]) ?>"><?= $this->t('panel_log') ?></a>
<?php endif ?>
</p>
