<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;
?>
<ol class="log">
<?php foreach ($events as $event): ?>
  <li class="<?= $this->e(Text::word($event->level)) ?>"><time><?= $this->e(substr(Text::moment($event->time), 11)) ?></time> <?= $this->said($event->message) ?></li>
<?php endforeach ?>
</ol>
