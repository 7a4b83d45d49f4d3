<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;
use RocketVps\Restore\Enum\Risk;

$outcome = Text::word($validation->outcome);
$sign = ['pass' => '✓', 'warn' => '!', 'fail' => '✕'][$outcome] ?? '–';
$risks = [];
foreach ($validation->groups as $group) {
    foreach ($group->checks as $check) {
        if (Text::word($check->outcome) === 'fail' && Risk::tryFrom($check->name) !== null) {
            $risks[$check->name] = $check->message;
        }
    }
}
$changes = $validation->changes;
?>
<div class="card alert <?= $this->e($outcome) ?>" role="status">
  <p class="lead"><span aria-hidden="true"><?= $sign ?></span> <?= $this->t("validation_$outcome") ?></p>
<?php if ($changes !== null && $changes->files !== null): ?>
  <p><?= $this->t('would_change_files', Text::number($changes->files->added), Text::number($changes->files->changed), Text::number($changes->files->removed)) ?></p>
<?php endif ?>
<?php if ($changes !== null && $changes->tables !== null): ?>
  <p><?= $this->t('would_change_tables', Text::number($changes->tables->added), Text::number($changes->tables->changed), Text::number($changes->tables->removed)) ?></p>
<?php endif ?>
<?php if ($changes !== null): ?>
  <p><a href="<?= $this->url('changes', ['job' => $draft === null ? $job : null, 'draft' => $draft?->id]) ?>"><?= $this->t('menu_changes') ?></a></p>
<?php endif ?>
</div>
<?php if ($risks !== [] && $draft !== null): ?>
<?= $this->shared('check') ?>
<input type="hidden" name="draft" value="<?= Text::attribute($draft->id) ?>">
<fieldset class="card">
  <legend><?= $this->t('panel_accept') ?></legend>
  <p><?= $this->t('panel_accept_about') ?></p>
<?php foreach ($risks as $name => $message): ?>
  <p><label><input type="checkbox" name="accept[]" value="<?= Text::attribute($name) ?>"<?= in_array($name, $draft->accept, true) ? ' checked' : '' ?>> <?= $this->said($message) ?></label></p>
<?php endforeach ?>
  <button class="button"><?= $this->t('panel_check_again') ?></button>
</fieldset>
</form>
<?php endif ?>
<?= $this->part('groups', ['groups' => $validation->groups]) ?>
<?php if ($draft !== null): ?>
<div class="bar">
<?php if ($outcome !== 'fail'): ?>
  <a class="button main" href="<?= $this->url('confirm', ['draft' => $draft->id]) ?>"><?= $this->t('panel_continue') ?></a>
<?php endif ?>
  <?= $this->shared('check') ?>
    <input type="hidden" name="draft" value="<?= Text::attribute($draft->id) ?>">
<?php foreach ($draft->accept as $name): ?>
    <input type="hidden" name="accept[]" value="<?= Text::attribute($name) ?>">
<?php endforeach ?>
    <button class="button"><?= $this->t('panel_check_again') ?></button>
  </form>
  <a class="button" href="<?= $this->url('select', ['draft' => $draft->id]) ?>"><?= $this->t('panel_back') ?></a>
</div>
<?php endif ?>
