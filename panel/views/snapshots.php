<?php
/** @var RocketVps\Panel\View $this */
use RocketVps\Panel\Engine;
use RocketVps\Panel\Text;
?>
<p class="lede"><?= $this->t('snapshot_kept') ?></p>
<?php if ($snapshots === []): ?>
<p class="card empty"><?= $this->t('panel_no_snapshots') ?></p>
<?php else: ?>
<table class="stack">
  <caption class="unseen"><?= $this->t('menu_snapshots') ?></caption>
  <thead><tr><th scope="col"><?= $this->t('panel_date') ?></th><th scope="col"><?= $this->t('panel_form') ?></th><th scope="col" class="num"><?= $this->t('panel_size') ?></th><th scope="col"><?= $this->t('panel_until') ?></th><th scope="col"><span class="unseen"><?= $this->t('panel_actions') ?></span></th></tr></thead>
  <tbody>
<?php foreach ($snapshots as $snapshot): $name = Engine::nameOf($snapshot->path); ?>
  <tr>
    <th scope="row" data-label="<?= $this->t('panel_date') ?>"><?= $this->e(Text::moment($snapshot->created)) ?></th>
    <td data-label="<?= $this->t('panel_form') ?>"><?= $this->word('form', $snapshot->form) ?></td>
    <td class="num" data-label="<?= $this->t('panel_size') ?>"><?= $this->e($snapshot->size === 0 ? '-' : Text::bytes($snapshot->size)) ?></td>
    <td data-label="<?= $this->t('panel_until') ?>"><?php if ($snapshot->expiresInSeconds > 0): ?><?= $this->e(Text::deadline($snapshot->expiresInSeconds)) ?> <span class="dim">(<?= $this->e(Text::duration($snapshot->expiresInSeconds)) ?>)</span><?php else: ?><?= $this->t('panel_expired') ?><?php endif ?></td>
    <td class="actions">
      <a class="button main" href="<?= $this->url('rollback', ['domain' => $domain, 'snapshot' => $name]) ?>"><?= $this->t('panel_rollback') ?><span class="unseen"> <?= $this->e(Text::moment($snapshot->created)) ?></span></a>
      <a class="button" href="<?= $this->url('delete', ['domain' => $domain, 'snapshot' => $name]) ?>"><?= $this->t('panel_delete') ?><span class="unseen"> <?= $this->e(Text::moment($snapshot->created)) ?></span></a>
    </td>
  </tr>
<?php endforeach ?>
  </tbody>
</table>
<?php endif ?>
<section class="card">
  <h2><?= $this->t('panel_new_snapshot') ?></h2>
  <p class="dim"><?= $this->t('snapshot_offer') ?></p>
  <?= $this->once('snapshot') ?>
    <input type="hidden" name="domain" value="<?= Text::attribute($domain) ?>">
    <button class="button"><?= $this->t('panel_new_snapshot') ?></button>
  </form>
</section>
