<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;
?>
<div class="card alert pass" role="status"><p class="lead"><?= $this->word('job_kind', $status->kind) ?>: <?= $this->state($status) ?></p></div>
<?= $this->part('events_of', ['status' => $status]) ?>
