<?php /** @var RocketVps\Panel\View $this */ ?>
<?php if ($status->events !== []): ?>
<details class="card events"><summary><?= $this->t('panel_events') ?> (<?= count($status->events) ?>)</summary>
<?= $this->part('events', ['events' => array_slice($status->events, -200)]) ?>
</details>
<?php endif ?>
<p class="dim"><?= $this->t('panel_job') ?> <code><?= $this->e($status->job) ?></code></p>
