<?php
/**
 * How far a job is: the part of its page that is shown anew.
 *
 * @var RocketVps\Panel\View $this
 */
use RocketVps\Panel\Text;

$s = $status;
?>
<div class="card">
  <p class="overall"><span class="percent"><?= (int) $s->percent ?>&nbsp;%</span> <?= $this->state($s) ?></p>
  <progress class="whole" max="100" value="<?= (int) $s->percent ?>" aria-label="<?= $this->t('panel_overall') ?>"><?= (int) $s->percent ?> %</progress>
  <p class="dim"><?= $this->t('elapsed', Text::duration($s->elapsedSeconds), $s->remainingSeconds === null ? '-' : '~' . Text::duration($s->remainingSeconds)) ?></p>
</div>
<?php $number = 0; foreach ($s->phases as $phase): $word = Text::word($phase->phase); $state = Text::word($phase->state);
    if (!$this->words->has("phase_$word")) { continue; } $number++; ?>
<section class="card phase <?= $this->e($state) ?>">
  <h2><?= $this->h("phase_$word", $number) ?> <span class="badge <?= ['done' => 'pass', 'active' => 'active'][$state] ?? 'not_checked' ?>"><span aria-hidden="true"><?= ['done' => '✓', 'active' => '●'][$state] ?? '–' ?></span> <?= $this->word('phase_state', $phase->state) ?></span></h2>
<?php if ($state !== 'skipped'): ?>
  <progress max="100" value="<?= (int) $phase->percent ?>" aria-label="<?= $this->h("phase_$word", $number) ?>"><?= (int) $phase->percent ?> %</progress>
<?php $items = Text::number($phase->items) . ($phase->itemsTotal === null ? '' : '/' . Text::number($phase->itemsTotal)); $bytes = Text::bytes($phase->bytes) . ($phase->bytesTotal === null ? '' : ' / ' . Text::bytes($phase->bytesTotal)); ?>
  <p><?= $word === 'config' ? $this->t('progress_config', $items) : $this->t("progress_$word", $items, $bytes) ?></p>
<?php if ($phase->current !== ''): ?>
  <p class="dim current"><?= $this->t('current', '') ?><code><?= $this->e($phase->current) ?></code></p>
<?php endif ?>
<?php endif ?>
</section>
<?php endforeach ?>
<?php if ($s->events !== []): ?>
<details class="card events"><summary><?= $this->t('panel_events') ?> (<?= count($s->events) ?>)</summary>
<?= $this->part('events', ['events' => array_slice($s->events, -50)]) ?>
</details>
<?php endif ?>
