<?php
/**
 * The name of the domain, typed by hand.
 *
 * @var RocketVps\Panel\View $this
 */
?>
<p class="typed">
  <label for="typed"><?= $this->t('panel_type_domain', $domain) ?></label>
  <input id="typed" name="typed" required autocomplete="off" autocapitalize="none" spellcheck="false">
</p>
