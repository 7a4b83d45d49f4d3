<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Chart;
use RocketVps\Panel\Text;

$signs = ['pass' => '✓', 'not_checked' => '–', 'fail' => '✕'];
?>
<p class="lede"><?= $this->t('panel_drills_about') ?></p>
<?php if ($drills === []): ?>
<p class="card empty"><?= $this->t('panel_drills_none') ?></p>
<?php else: ?>
<div class="charts">
<?php foreach ($charts as $word => $chart): $values = $chart->values; ?>
<figure class="card">
  <figcaption><?= $this->t($word) ?><?php if ($values !== []): ?> <b><?= $this->e(Text::duration($values[count($values) - 1])) ?></b><?php endif ?></figcaption>
<?php if ($values !== []): ?>
  <svg class="chart" viewBox="0 0 <?= Chart::WIDTH ?> <?= Chart::HEIGHT ?>" role="img" aria-label="<?= $this->t('panel_drill_chart', $this->words->say($word), count($drills), Text::duration(min($values)), Text::duration(max($values)), Text::duration($values[count($values) - 1])) ?>">
    <path class="ground" d="M0 <?= Chart::HEIGHT - 1 ?>H<?= Chart::WIDTH ?>"/>
<?php foreach ($chart->gaps as $x): ?>
    <path class="gap" d="M<?= $x ?> 0V<?= Chart::HEIGHT ?>"/>
<?php endforeach ?>
<?php foreach ($chart->lines as $points): ?>
    <polyline points="<?= implode(' ', array_map(static fn (array $point): string => "$point[0],$point[1]", $points)) ?>"/>
<?php foreach ($points as [$x, $y]): ?>
    <circle cx="<?= $x ?>" cy="<?= $y ?>" r="3.5"/>
<?php endforeach ?>
<?php endforeach ?>
  </svg>
<?php endif ?>
</figure>
<?php endforeach ?>
</div>
<table class="stack">
  <caption class="unseen"><?= $this->t('panel_drills') ?></caption>
  <thead><tr><th scope="col"><?= $this->t('panel_date') ?></th><th scope="col"><?= $this->t('panel_drill_result') ?></th><th scope="col" class="num"><?= $this->t('panel_drill_recovery') ?></th><th scope="col" class="num"><?= $this->t('panel_drill_age') ?></th></tr></thead>
  <tbody>
<?php foreach ($drills as $drill): $word = Text::word($drill->outcome); ?>
  <tr>
    <th scope="row" data-label="<?= $this->t('panel_date') ?>"><?= $this->e(Text::moment($drill->time)) ?><span class="file"><?= $this->e($drill->source === null ? '-' : basename($drill->source)) ?></span></th>
    <td data-label="<?= $this->t('panel_drill_result') ?>"><span class="badge <?= isset($signs[$word]) ? $word : '' ?>"><span aria-hidden="true"><?= $signs[$word] ?? '·' ?></span> <?= $this->word('panel_drill', $drill->outcome) ?></span><?php if ($word !== 'pass'): ?><span class="file"><?= $this->said($drill->message) ?></span><?php endif ?></td>
    <td class="num" data-label="<?= $this->t('panel_drill_recovery') ?>"><?= $this->e(Text::duration($drill->recoverySeconds)) ?></td>
    <td class="num" data-label="<?= $this->t('panel_drill_age') ?>"><?= $this->e(Text::duration($drill->backupAgeSeconds)) ?></td>
  </tr>
<?php endforeach ?>
  </tbody>
</table>
<?php endif ?>
<section class="card">
  <h2><?= $this->t('panel_rehearse_title') ?></h2>
  <p class="dim"><?= $this->t('panel_rehearse_about') ?></p>
  <?= $this->once('rehearse') ?>
    <input type="hidden" name="domain" value="<?= Text::attribute($domain) ?>">
    <button class="button"><?= $this->t('panel_rehearse') ?></button>
  </form>
</section>
