<?php
/**
 * Groups of checks. Those where all is well are closed.
 *
 * @var RocketVps\Panel\View $this
 */
use RocketVps\Panel\Text;

$level ??= 'h2';
?>
<?php foreach ($groups as $group): $word = Text::word($group->outcome); ?>
<details class="card group"<?= in_array($word, ['pass', 'not_checked'], true) && empty($open) ? '' : ' open' ?>>
  <summary><<?= $level ?>><?= $this->words->has("group_$group->name") ? $this->h("group_$group->name") : $this->e($group->name) ?></<?= $level ?>> <?= $this->badge($group->outcome) ?></summary>
  <?= $this->part('checks', ['checks' => $group->checks]) ?>
</details>
<?php endforeach ?>
