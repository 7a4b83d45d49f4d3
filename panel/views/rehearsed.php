<?php
/**
 * What a restore of a backup would come to.
 *
 * @var RocketVps\Panel\View $this
 */
use RocketVps\Panel\Ending;
use RocketVps\Panel\Text;

$mood = (new Ending($status))->mood();
$outcome = Text::word($rehearsed->outcome);
$took = Text::duration($rehearsed->recoverySeconds);
$waits = $rehearsed->changeOverMilliseconds;
?>
<div class="card alert <?= $mood ?>" role="status">
  <p class="lead"><span aria-hidden="true"><?= ['pass' => '✓', 'fail' => '✕'][$mood] ?? '–' ?></span> <?= $this->words->has("rehearsed_$outcome") ? $this->h("rehearsed_$outcome") : $this->e($outcome) ?></p>
  <p><?= $waits === null ? $this->t('rehearsed_time', $took) : $this->t('rehearsed_time_waiting', $took, Text::number($waits)) ?></p>
  <p><?= $this->t('rehearsed_nothing') ?></p>
</div>
<?= $this->part('played', ['rehearsal' => $rehearsed->rehearsal]) ?>
<?php if ($rehearsed->notes !== []): ?>
<section class="card">
  <h2><?= $this->t('panel_notes') ?></h2>
  <ul>
<?php foreach ($rehearsed->notes as $note): ?>
    <li><?= $this->said($note) ?></li>
<?php endforeach ?>
  </ul>
</section>
<?php endif ?>
<h2><?= $this->t('panel_evidence') ?></h2>
<?= $this->part('groups', ['groups' => $rehearsed->staged, 'level' => 'h3']) ?>
<?= $this->part('events_of', ['status' => $status]) ?>
<p><a class="button" href="<?= $this->url('backups', ['domain' => $domain]) ?>"><?= $this->t('panel_backups') ?></a></p>
