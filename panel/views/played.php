<?php
/**
 * How the staged site was asked for pages: each with its verdict, or why none was asked for.
 *
 * @var RocketVps\Panel\View $this
 */
?>
<section class="card rehearsal">
  <h2><?= $this->h('group_rehearsal') ?> <?= $this->badge($rehearsal->outcome) ?></h2>
<?php if ($rehearsal->pages === []): ?>
  <p><?= $this->said($rehearsal->message) ?></p>
<?php else: ?>
  <?= $this->part('checks', ['checks' => $rehearsal->pages]) ?>
<?php endif ?>
</section>
