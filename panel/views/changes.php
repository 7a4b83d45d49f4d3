<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Text;

$signs = ['added' => '+', 'changed' => '~', 'removed' => '−', 'kept' => '=', 'same' => '='];
?>
<?php foreach ($parts as $name => $found): ?>
<p><strong><?= $this->h("head_changes_$name") ?>:</strong> <?= $this->t('changes_count', Text::number($found->added), Text::number($found->changed), Text::number($found->removed), Text::number($found->same), Text::number($found->kept ?? 0)) ?></p>
<?php endforeach ?>
<?php if (isset($parts['files'])): ?>
<p class="dim"><?= $this->t('panel_bytes_change', Text::bytes($parts['files']->bytesAdded), Text::bytes($parts['files']->bytesChanged), Text::bytes($parts['files']->bytesRemoved)) ?></p>
<?php endif ?>
<?php if (isset($parts['tables'])): ?>
<p class="dim"><?= isset($parts['rows']) ? $this->t('panel_rows_unlisted', Text::number($parts['rows']->notCompared), Text::number($parts['rows']->unlisted)) : $this->t('panel_rows_counted') ?></p>
<?php endif ?>
<nav class="tabs inner" aria-label="<?= $this->h('title_changes') ?>"><ul>
<?php foreach ($parts as $name => $found): ?>
  <li><a href="<?= $this->url('changes', $here + ['part' => $name]) ?>"<?= $name === $part ? ' aria-current="page"' : '' ?>><?= $this->h("head_changes_$name") ?> (<?= $this->e(Text::number($found->total)) ?>)</a></li>
<?php endforeach ?>
</ul></nav>
<?php if ($entries !== null && $entries->entries === [] && $entries->total > 0): ?>
<p class="card empty"><?= $this->t('panel_past_end', Text::number($entries->total)) ?></p>
<p class="pager"><a class="button" href="<?= $this->url('changes', $here + ['part' => $part]) ?>"><?= $this->t('panel_first') ?></a></p>
<?php elseif ($entries === null || $entries->entries === []): ?>
<p class="card empty"><?= $this->t('panel_no_changes') ?></p>
<?php else: ?>
<ul class="changes card">
<?php foreach ($entries->entries as $entry): $change = Text::word($entry->change); ?>
  <li class="<?= $this->e($change) ?>">
    <span class="sign" aria-hidden="true"><?= $signs[$change] ?? '·' ?></span><span class="unseen"><?= $this->word('panel_change', $change) ?> </span>
<?php if ($part === 'files'): ?>
    <code><?= $this->e($entry->path) ?></code>
    <span class="dim"><?php if ($entry->what !== null): ?><?= $this->e(implode(', ', array_map(Text::word(...), $entry->what))) ?><?php endif ?>
    <?= $this->e(implode(' → ', array_map(Text::bytes(...), array_filter([$entry->live?->size, $entry->backup?->size], 'is_int')))) ?>
    <?= $entry->why === null ? '' : $this->said($entry->why) ?></span>
<?php elseif ($part === 'tables'): ?>
    <code><?= $this->e($entry->name) ?></code>
    <span class="dim"><?php if ($entry->rows !== null): ?><?= $this->t('panel_rows', implode(' → ', array_map(Text::number(...), array_filter([$entry->rows->live, $entry->rows->backup], 'is_int')))) ?><?php endif ?>
    <?= $entry->why === null ? '' : $this->said($entry->why) ?>
    <?= $entry->rowsNotCompared === null ? '' : $this->t('panel_rows_not_compared') . ' ' . $this->said($entry->rowsNotCompared) ?></span>
<?php if ($entry->definition instanceof RocketVps\Restore\Answer\DefinitionDiff): ?>
    <pre tabindex="0"><?php foreach ($entry->definition->diff as $line): ?><span><?= $this->e($line) ?></span>
<?php endforeach ?></pre>
<?php endif ?>
<?php elseif ($part === 'rows'): ?>
    <code><?= $this->e($entry->table) ?></code>
<?php foreach ($entry->key as $key): ?>
    <code><?= $this->e($key->column) ?>=<?= $this->e(Text::value($key->value)) ?></code>
<?php endforeach ?>
<?php if ($entry->columns !== null): ?>
    <pre tabindex="0"><?php foreach ($entry->columns as $column): ?><span><?= $this->e($column->column) ?>: <?= $this->e(Text::value($column->live)) ?> → <?= $this->e(Text::value($column->backup)) ?></span>
<?php endforeach ?></pre>
<?php endif ?>
<?php else: ?>
    <?= $this->word('item', $entry->item) ?> <code><?= $this->e($entry->target ?? $entry->name) ?></code>
    <span class="dim"><?= $entry->why === null ? '' : $this->said($entry->why) ?></span>
<?php if ($entry->diff !== null): ?>
    <pre tabindex="0"><?php foreach ($entry->diff as $line): ?><span class="<?= ['+' => 'added', '-' => 'removed'][substr($line, 0, 1)] ?? '' ?>"><?= $this->e($line) ?></span>
<?php endforeach ?></pre>
<?php endif ?>
<?php endif ?>
  </li>
<?php endforeach ?>
</ul>
<p class="pager">
<?php if ($entries->offset > 0): ?>
  <a class="button" rel="prev" href="<?= $this->url('changes', $here + ['part' => $part, 'offset' => max(0, $entries->offset - 100)]) ?>"><?= $this->t('panel_previous') ?></a>
<?php endif ?>
  <span class="dim"><?= $this->e(Text::number($entries->offset + 1)) ?>–<?= $this->e(Text::number($entries->offset + count($entries->entries))) ?> / <?= $this->e(Text::number($entries->total)) ?></span>
<?php if ($entries->next !== null): ?>
  <a class="button" rel="next" href="<?= $this->url('changes', $here + ['part' => $part, 'offset' => $entries->next]) ?>"><?= $this->t('panel_next') ?></a>
<?php endif ?>
</p>
<?php endif ?>
<?php if ($draft !== null): ?>
<div class="bar">
  <?= $this->shared('check') ?>
    <input type="hidden" name="draft" value="<?= Text::attribute($draft->id) ?>">
    <button class="button main"><?= $this->t('panel_check') ?></button>
  </form>
  <a class="button" href="<?= $this->url('select', ['draft' => $draft->id]) ?>"><?= $this->t('panel_back') ?></a>
</div>
<?php endif ?>
