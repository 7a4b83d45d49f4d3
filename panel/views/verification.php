<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;

$outcome = Text::word($verification->outcome);
?>
<div class="card alert <?= $this->e($outcome) ?>" role="status">
  <p class="lead"><span aria-hidden="true"><?= ['pass' => '✓', 'warn' => '!', 'fail' => '✕'][$outcome] ?? '–' ?></span> <?= $outcome === 'pass' ? $this->h('verification_pass') : $this->t("verification_$outcome") ?></p>
</div>
<?= $this->part('groups', ['groups' => $verification->groups]) ?>
<?= $this->part('events_of', ['status' => $status]) ?>
