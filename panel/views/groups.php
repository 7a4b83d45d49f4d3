<?php
/**
 * Groups of checks. Those where all is well are closed.
 *
 * @var RocketVps\Panel\View $this
 */
use RocketVps\Panel\Text;

$level ??= 'h2';
$signs = ['pass' => '✓', 'warn' => '!', 'fail' => '✕', 'not_checked' => '–'];
?>
<?php foreach ($groups as $group): $word = Text::word($group->outcome); ?>
<details class="card group"<?= in_array($word, ['pass', 'not_checked'], true) && empty($open) ? '' : ' open' ?>>
  <summary><<?= $level ?>><?= $this->words->has("group_$group->name") ? $this->h("group_$group->name") : $this->e($group->name) ?></<?= $level ?>> <?= $this->badge($group->outcome) ?></summary>
  <ul class="checks">
<?php foreach ($group->checks as $check): $outcome = Text::word($check->outcome); ?>
    <li class="<?= $this->e($outcome) ?>"><span class="sign" aria-hidden="true"><?= $signs[$outcome] ?? '·' ?></span><span class="unseen"><?= $this->word('outcome', $check->outcome) ?>: </span><?= $this->said($check->message) ?></li>
<?php endforeach ?>
  </ul>
</details>
<?php endforeach ?>
