<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;

$p = $preview;
$items = [];
foreach ($p->config as $file) {
    $items[Text::word($file->item)] = true;
}
$about = [
    'files' => $this->t('component_files', Text::number($p->files->count), Text::bytes($p->files->bytes)),
    'database' => $p->database === null ? '' : $this->t('component_database', Text::number($p->database->tables), Text::bytes($p->database->bytes)),
    'config' => $this->t('component_config', count($p->config)),
];
?>
<?= $this->shared('select') ?>
<input type="hidden" name="draft" value="<?= Text::attribute($draft->id) ?>">
<button class="unseen" name="go" value="check" tabindex="-1" aria-hidden="true"></button>
<p class="lede"><?= $this->t('choose_components') ?></p>
<?php foreach (['files', 'database', 'config'] as $part): if (!$draft->has[$part]) { continue; } ?>
<fieldset class="card part" id="<?= $part ?>">
  <legend><?= $about[$part] ?></legend>
  <p class="dim"><?= $this->t("component_{$part}_about") ?></p>
  <div class="choice">
<?php foreach (['all', 'parts', 'none'] as $take): ?>
    <label><input type="radio" name="take_<?= $part ?>" value="<?= $take ?>"<?= $draft->take[$part] === $take ? ' checked' : '' ?>> <?= $this->t("panel_take_$take") ?></label>
<?php endforeach ?>
  </div>
  <div class="picks">
    <p class="selectall" hidden><button type="button" data-all="1"><?= $this->t('panel_all') ?></button> <button type="button" data-all=""><?= $this->t('panel_none') ?></button></p>
<?php if ($part === 'files'): ?>
    <?= $this->part('crumbs', ['domain' => $domain, 'backup' => $backup, 'at' => $at, 'draft' => $draft]) ?>
    <?= $this->part('tree', ['domain' => $domain, 'backup' => $backup, 'files' => $p->files, 'at' => $at, 'draft' => $draft]) ?>
<?php $elsewhere = array_filter(array_keys($draft->picked['files']), static fn ($path) => !in_array((string) $path, array_map(static fn ($node) => $node->path, $p->files->tree), true)); ?>
<?php if ($elsewhere !== []): ?>
    <p class="dim"><?= $this->t('panel_picked_elsewhere', count($elsewhere)) ?>
<?php foreach (array_slice($elsewhere, 0, 20) as $path): ?>
      <code><?= $this->e((string) $path) ?></code>
<?php endforeach ?>
    </p>
<?php endif ?>
<?php else:
    $names = $part === 'database' ? array_map(static fn ($table) => $table->name, $p->database->tableList) : array_keys($items);
    ?>
    <input type="hidden" name="seen_<?= $part ?>[]" value="<?= $this->value((string) json_encode($names, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES)) ?>">
    <ul class="boxes">
<?php foreach ($names as $number => $name): ?>
      <li><label><input type="checkbox" name="pick_<?= $part ?>[]" value="<?= $this->value((string) $name) ?>"<?= isset($draft->picked[$part][$name]) ? ' checked' : '' ?>>
<?php if ($part === 'config'): ?>
        <?= $this->word('item', (string) $name) ?></label></li>
<?php else: $table = $p->database->tableList[$number]; ?>
        <code><?= $this->e($name) ?></code> <span class="dim"><?= $this->t('rows_and_size', Text::number($table->rows), Text::bytes($table->bytes)) ?></span></label></li>
<?php endif; endforeach ?>
    </ul>
<?php endif ?>
  </div>
</fieldset>
<?php endforeach ?>
<details class="card"<?= $draft->exact || $draft->orphans ? ' open' : '' ?>>
  <summary><?= $this->t('panel_advanced') ?></summary>
  <p><label><input type="checkbox" name="exact" value="1"<?= $draft->exact ? ' checked' : '' ?>> <?= $this->t('panel_exact') ?></label></p>
  <p><label><input type="checkbox" name="orphans" value="1"<?= $draft->orphans ? ' checked' : '' ?>> <?= $this->t('panel_orphans') ?></label></p>
</details>
<?php if ($p->estimate !== null): ?>
<p class="estimate" data-estimates="<?= Text::attribute((string) json_encode(array_map(Text::duration(...), array_filter($p->estimate->of, 'is_numeric')))) ?>"><?= $this->t('estimated_time', '') ?><strong>~<?= $this->e(Text::duration($p->estimate->of[$draft->estimated()] ?? $p->estimate->totalSeconds)) ?></strong></p>
<?php endif ?>
<div class="bar">
  <button class="button main" name="go" value="check"><?= $this->t('panel_check') ?></button>
  <button class="button" name="go" value="changes"><?= $this->t('menu_changes') ?></button>
  <a class="button" href="<?= $this->url('backups', ['domain' => $domain]) ?>"><?= $this->t('panel_cancel') ?></a>
</div>
<input type="hidden" name="end" value="1">
</form>
