<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;

$kind = Text::word($status->kind);
$job = ['job' => $status->job];
?>
<?php if (isset($doing)): ?>
<p class="subtitle"><?= $this->e($doing) ?></p>
<?php endif ?>
<p class="unseen" aria-live="polite" id="said"></p>
<div id="live" data-events="<?= $this->url('events', $job) ?>" data-status="<?= $this->url('status', $job) ?>" data-again="<?= $again ?>">
<?= $this->part('phases', ['status' => $status]) ?>
</div>
<div class="bar">
<?php if (Text::word($status->state) !== 'cancelling'): ?>
  <?= $this->once('cancel', $status->job) ?>
    <input type="hidden" name="job" value="<?= Text::attribute($status->job) ?>">
    <button class="button"><?= $this->t('panel_cancel_job') ?></button>
  </form>
<?php endif ?>
</div>
<p class="dim"><?= $this->t(in_array($kind, ['restore', 'rollback'], true) ? 'panel_goes_on' : 'panel_goes_on_job') ?></p>
<noscript><p class="dim"><?= $this->t('panel_reloads') ?></p></noscript>
