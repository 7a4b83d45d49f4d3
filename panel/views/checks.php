<?php
/**
 * Checks, one a line, each with its sign.
 *
 * @var RocketVps\Panel\View $this
 */
use RocketVps\Panel\Text;

$signs = ['pass' => '✓', 'warn' => '!', 'fail' => '✕', 'not_checked' => '–'];
?>
<ul class="checks">
<?php foreach ($checks as $check): $outcome = Text::word($check->outcome); ?>
  <li class="<?= $this->e($outcome) ?>"><span class="sign" aria-hidden="true"><?= $signs[$outcome] ?? '·' ?></span><span class="unseen"><?= $this->word('outcome', $check->outcome) ?>: </span><?= $this->said($check->message) ?></li>
<?php endforeach ?>
</ul>
