<?php
/** @var RocketVps\Panel\View $this */
$address = ['domain' => $domain, 'name' => $log->name];
?>
<pre class="card log" tabindex="0" aria-label="<?= $this->e($log->name) ?>">
<?php foreach (explode("\n", rtrim($log->text, "\n")) as $line): ?>
<?= $this->e($line) . "\n" ?>
<?php endforeach ?>
</pre>
<p class="pager">
  <a class="button" href="<?= $this->url('logs', ['domain' => $domain]) ?>"><?= $this->t('menu_logs') ?></a>
<?php if ($log->next !== null): ?>
  <a class="button" href="<?= $this->url('log', $address + ['offset' => $log->next]) ?>"><?= $this->t('panel_next') ?></a>
<?php endif ?>
</p>
