<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;

$r = $report;
$outcome = $r->verification === null ? 'not_checked' : Text::word($r->verification->outcome);
$tookPart = [];
foreach ($status->phases as $phase) {
    $tookPart[Text::word($phase->phase)] = Text::word($phase->state) !== 'skipped';
}
// A kept state that changes places as a whole has no figures of its own.
$without = fn (string $part): string => $this->t($tookPart[$part] ?? false ? 'panel_as_a_whole' : 'panel_untouched');
$mood = ['pass' => '✓', 'warn' => '!', 'fail' => '✕'][$outcome] ?? '–';
?>
<div class="card alert <?= $this->e($outcome) ?>" role="status">
  <p class="lead"><span aria-hidden="true"><?= $mood ?></span> <?= $this->h("report_$outcome") ?></p>
<?php if ($r->durationSeconds !== null): ?>
<?php $times = match (true) {
    Text::word($status->kind) === 'rollback' => 'panel_rolled_back_in',
    !in_array($outcome, ['pass', 'warn'], true) => 'panel_restored_in',
    // From a second on, pages that need the tables had to wait.
    ($r->commitMilliseconds ?? 0) >= 1000 && $r->database !== null => 'report_times_waited',
    default => 'report_times',
}; ?>
  <p><?= $this->t($times, Text::duration($r->durationSeconds), Text::number(round($r->commitMilliseconds ?? 0))) ?></p>
<?php endif ?>
<?php if ($r->recovered === true): ?>
  <p><?= $this->t('panel_by_recovery') ?></p>
<?php endif ?>
<?php if ($r->wentOnWith !== null): ?>
  <p><?= $this->t('panel_went_on', $r->wentOnWith->job, Text::number($r->wentOnWith->files), Text::number($r->wentOnWith->tables)) ?></p>
<?php endif ?>
</div>
<div class="grid boxes4">
<section class="card">
  <h2><?= $this->t('component_name_files') ?></h2>
<?php if ($r->files === null): ?>
  <p class="dim"><?= $without('files') ?></p>
<?php else: ?>
  <p class="figure"><?= $this->e(Text::number($r->files->files)) ?></p>
  <p class="dim"><?= $this->t('panel_files_of', Text::number($r->files->folders), Text::number($r->files->links), Text::bytes($r->files->bytes)) ?></p>
<?php if ($r->files->keptTotal > 0): ?>
  <details><summary><?= $this->t('panel_kept', Text::number($r->files->keptTotal)) ?></summary><ul class="plain">
<?php foreach ($r->files->kept as $kept): ?>
    <li><code><?= $this->e($kept->path) ?></code></li>
<?php endforeach ?>
  </ul></details>
<?php endif ?>
<?php endif ?>
</section>
<section class="card">
  <h2><?= $this->t('component_name_database') ?></h2>
<?php if ($r->database === null): ?>
  <p class="dim"><?= $without('database') ?></p>
<?php else: ?>
  <p class="figure"><?= $this->e(Text::number($r->database->tables)) ?></p>
  <p class="dim"><?= $r->database->rows === null ? $this->t('panel_tables_only') : $this->t('panel_tables_of', Text::number($r->database->rows)) ?></p>
<?php if ($r->database->kept !== []): ?>
  <details><summary><?= $this->t('panel_kept', Text::number(count($r->database->kept))) ?></summary><ul class="plain">
<?php foreach ($r->database->kept as $kept): ?>
    <li><code><?= $this->e($kept) ?></code></li>
<?php endforeach ?>
  </ul></details>
<?php endif ?>
<?php foreach ($r->database->compatibility as $finding): ?>
  <p class="dim"><?= $this->said($finding->message) ?></p>
<?php endforeach ?>
<?php endif ?>
</section>
<section class="card">
  <h2><?= $this->t('component_name_config') ?></h2>
<?php if ($r->config === null || $r->config === []): ?>
  <p class="dim"><?= $tookPart['config'] ?? false ? $this->t('panel_config_same') : $this->t('panel_untouched') ?></p>
<?php else: ?>
  <p class="figure"><?= count($r->config) ?></p>
  <p class="dim"><?= $this->t('panel_config_of') ?></p>
  <details><summary><?= $this->t('panel_which') ?></summary><ul class="plain small">
<?php foreach ($r->config as $path): ?>
    <li><code><?= $this->e($path) ?></code></li>
<?php endforeach ?>
  </ul></details>
<?php endif ?>
</section>
<section class="card">
  <h2><?= $this->t('component_name_verify') ?></h2>
<?php if ($r->verification === null): ?>
  <p><?= $this->badge('not_checked') ?></p>
<?php else: ?>
  <ul class="plain">
<?php foreach ($r->verification->live as $group): ?>
    <li class="row"><span><?= $this->words->has("group_$group->name") ? $this->h("group_$group->name") : $this->e($group->name) ?></span> <?= $this->badge($group->outcome) ?></li>
<?php endforeach ?>
  </ul>
<?php foreach ($r->verification->live as $group): foreach ($group->checks as $check): ?>
<?php if ($check->name === 'freshness' && Text::word($check->outcome) !== 'pass'): ?>
  <p class="dim"><?= $this->said($check->message) ?></p>
<?php endif ?>
<?php endforeach; endforeach ?>
<?php endif ?>
</section>
</div>
<section class="card">
  <h2><?= $this->t('panel_way_back') ?></h2>
<?php if ($snapshot === null): ?>
  <p class="dim"><?= $this->t('panel_no_way_back') ?></p>
<?php else: ?>
  <p><?= $this->t('panel_kept_until', Text::deadline($snapshot->expiresInSeconds, $status->started), Text::duration($snapshot->expiresInSeconds)) ?></p>
  <p><a class="button" href="<?= $this->url('rollback', ['domain' => $domain, 'job' => $status->job]) ?>"><?= $this->t('panel_rollback') ?></a></p>
<?php endif ?>
</section>
<?php if (($r->notes ?? []) !== []): ?>
<section class="card">
  <h2><?= $this->t('panel_notes') ?></h2>
  <ul>
<?php foreach ($r->notes as $note): ?>
    <li><?= $this->said($note) ?></li>
<?php endforeach ?>
  </ul>
</section>
<?php endif ?>
<?php if ($r->rehearsal !== null): ?>
<?= $this->part('played', ['rehearsal' => $r->rehearsal]) ?>
<?php endif ?>
<?php if ($r->verification !== null): ?>
<h2><?= $this->t('panel_evidence') ?></h2>
<?= $this->part('groups', ['groups' => $r->verification->live, 'level' => 'h3']) ?>
<?php endif ?>
<?= $this->part('events_of', ['status' => $status]) ?>
<p><a class="button" href="<?= $this->url('backups', ['domain' => $domain]) ?>"><?= $this->t('panel_backups') ?></a></p>
