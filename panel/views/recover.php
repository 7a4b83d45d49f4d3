<?php
/**
 * The button that finishes or undoes what is left of a domain's jobs.
 *
 * @var RocketVps\Panel\View $this
 */
use RocketVps\Panel\Text;
?>
<div class="bar"><?= $this->once('recover') ?>
  <input type="hidden" name="domain" value="<?= Text::attribute($domain) ?>">
  <button class="button main"><?= $this->t('panel_recover') ?></button>
</form></div>
