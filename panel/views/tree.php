<?php
/**
 * One level of a tree. With a draft each node has a box, and a folder opens by a button of the form.
 *
 * @var RocketVps\Panel\View $this
 */
use RocketVps\Panel\Text;

$page = $files->treePage;
$enc = rawurlencode($at);
$from = ($page->offset ?? 0) + count($files->tree);
$names = array_map(static fn ($node) => $node->path, $files->tree);
$here = $draft === null ? ['domain' => $domain, 'backup' => $backup] : ['draft' => $draft->id];
?>
<ul class="tree"<?= $at === '' ? '' : ' data-level="' . Text::attribute($enc) . '"' ?>>
<?php if ($draft !== null): ?>
<li hidden><input type="hidden" name="seen_files[]" value="<?= $this->value((string) json_encode($names, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES)) ?>"></li>
<?php endif ?>
<?php if ($names === []): ?>
<?php // The engine lists a folder that is not there as an empty one; one that is opened in place was listed before. ?>
<li class="dim"><?= match (true) {
    ($page->total ?? 0) > 0 => $this->t('panel_past_end', Text::number($page->total)),
    $at === '' || ($opened ?? false) => $this->t('panel_folder_empty'),
    default => $this->t('panel_no_folder'),
} ?></li>
<?php endif ?>
<?php foreach ($files->tree as $number => $node):
    $folder = Text::word($node->kind) === 'folder';
    $name = substr(rtrim($node->path, '/'), (int) strrpos('/' . rtrim($node->path, '/'), '/')) . ($folder ? '/' : '');
    $with = $draft?->takenWith($node->path);
    $box = 'f' . substr(hash('sha256', $node->path), 0, 12);
    ?>
<li>
  <div class="node">
<?php if ($draft !== null): ?>
    <input type="checkbox" id="<?= $box ?>" name="pick_files[]" value="<?= $this->value($node->path) ?>"<?= isset($draft->picked['files'][$node->path]) || $with !== null ? ' checked' : '' ?><?= $with !== null ? ' disabled' : '' ?>>
<?php endif ?>
    <span class="kind" aria-hidden="true"><?= ['folder' => '▸', 'link' => '↪'][Text::word($node->kind)] ?? '·' ?></span>
<?php if ($folder && $draft !== null): ?>
    <label for="<?= $box ?>" class="path"><?= $this->e($name) ?></label>
    <button class="open" name="go" value="at:<?= Text::attribute(rawurlencode($node->path)) ?>:0" data-close="<?= $this->t('panel_close') ?>" data-open="<?= $this->url('tree', $here + ['at' => rawurlencode($node->path)]) ?>"><?= $this->t('panel_open') ?><span class="unseen"> <?= $this->e($name) ?></span></button>
<?php elseif ($folder): ?>
    <a class="open path" href="<?= $this->url('preview', $here + ['at' => rawurlencode($node->path)]) ?>#files" data-open="<?= $this->url('tree', $here + ['at' => rawurlencode($node->path)]) ?>"><?= $this->e($name) ?></a>
<?php elseif ($draft !== null): ?>
    <label for="<?= $box ?>" class="path"><?= $this->e($name) ?></label>
<?php else: ?>
    <span class="path"><?= $this->e($name) ?></span>
<?php endif ?>
    <span class="dim size"><?= $folder ? $this->t('files_and_size', Text::number($node->files), Text::bytes($node->bytes)) : $this->e(Text::bytes($node->bytes)) ?></span>
  </div>
</li>
<?php endforeach ?>
<?php if ($page !== null && $from < $page->total): $more = $this->words->say('panel_more', Text::number($page->total - $from)); ?>
<li class="more">
<?php if ($draft !== null): ?>
  <button class="open" name="go" value="at:<?= Text::attribute($enc) ?>:<?= $from ?>" data-more="<?= $this->url('tree', $here + ['at' => $enc, 'offset' => $from]) ?>"><?= $this->e($more) ?></button>
<?php else: ?>
  <a class="open" href="<?= $this->url('preview', $here + ['at' => $enc, 'offset' => $from]) ?>#files" data-more="<?= $this->url('tree', $here + ['at' => $enc, 'offset' => $from]) ?>"><?= $this->e($more) ?></a>
<?php endif ?>
</li>
<?php endif ?>
</ul>
