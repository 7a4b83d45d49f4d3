<?php
/**
 * The way from the document root to the level that is shown.
 *
 * @var RocketVps\Panel\View $this
 */
use RocketVps\Panel\Text;

$steps = [['', '/']];
$path = '';
foreach (array_filter(explode('/', $at), static fn ($name) => $name !== '') as $name) {
    $path .= "$name/";
    $steps[] = [$path, "$name/"];
}
?>
<?php if ($at !== ''): ?>
<nav class="crumbs" aria-label="<?= $this->t('panel_crumbs') ?>">
<?php foreach ($steps as $number => [$path, $name]): ?>
<?php if ($number === count($steps) - 1): ?>
  <span aria-current="location"><?= $this->e($name) ?></span>
<?php elseif ($draft !== null): ?>
  <button name="go" value="at:<?= Text::attribute(rawurlencode($path)) ?>:0" class="open"><?= $this->e($name) ?></button>
<?php else: ?>
  <a href="<?= $this->url('preview', ['domain' => $domain, 'backup' => $backup, 'at' => rawurlencode($path)]) ?>#files"><?= $this->e($name) ?></a>
<?php endif ?>
<?php endforeach ?>
</nav>
<?php endif ?>
