// The panel page in a real Chromium, on real restores: nginx, PHP-FPM as www-data, the broker, MariaDB.
//   PANEL_NPM=node_modules' folder PANEL_ENV=env of stage.sh [PANEL_SHOTS=folder] node panel.mjs
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { axeSource, equal, finish, ok, withBrowser } from './browser.mjs';

const env = Object.fromEntries(readFileSync(process.env.PANEL_ENV, 'utf8').split('\n').filter(Boolean).map((line) => line.split(/=(.*)/s).slice(0, 2)));
const home = env.PANEL_URL + 'restore';
const shots = process.env.PANEL_SHOTS;
const world = path.join(import.meta.dirname, '../harness/world.sh');
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'self'; base-uri 'none'";
const HOSTILE = '<img src=x onerror=alert(1)>';
const DOMAIN = 'shop.example';
const SLOW = { timeout: 120000 };

const digest = () => execFileSync(world, ['digest', env.WORLD], { encoding: 'utf8', timeout: 120000 });
const good = readFileSync(`${env.STAGE}/good`, 'utf8');
const damaged = readFileSync(`${env.STAGE}/damaged`, 'utf8');

// What no page may do: talk, break, or be stopped by its own policy.
const wrong = [];
const axe = { pages: 0, rules: 0, serious: [], lesser: [] };
const wide = [];
const PICTURED = new Set(['phone-backups', 'phone-selection', 'phone-progress', 'phone-report', 'dark-selection', 'dark-checks', 'dark-report']);

async function visitor(browser, user, options = {}) {
  const headers = user === null ? {} : { 'X-Test-User': encodeURIComponent(user) };
  if (options.paths) headers['X-Test-Paths'] = '1';
  const context = await browser.newContext({ extraHTTPHeaders: headers, viewport: { width: 1280, height: 860 }, locale: 'en-US', ...options.context });
  const page = await context.newPage();
  page.setDefaultTimeout(30000);
  if (options.context?.javaScriptEnabled !== false) {
    await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`)));
  }
  page.on('dialog', (dialog) => { wrong.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
  page.on('pageerror', (error) => wrong.push(`${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of (403|404|409|422)/.test(message.text())) wrong.push(`${page.url()}: ${message.text()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500) wrong.push(`${response.status()} ${response.url()}`);
    const policy = response.headers()['content-security-policy'];
    if (response.url().startsWith(home) && policy !== CSP) wrong.push(`policy of ${response.url()}: ${policy}`);
  });
  return page;
}

// A screen as everybody has it: nothing wrong for a screen reader, nothing beyond the edge, and a picture of it.
async function look(page, name, { phone = false, tallest = phone ? 1200 : 1300 } = {}) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return { rules: result.passes.length, violations: result.violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map((node) => node.html.slice(0, 120)) })) };
  });
  axe.pages += 1;
  axe.rules = Math.max(axe.rules, found.rules);
  for (const { id, impact, nodes } of found.violations) {
    (['serious', 'critical'].includes(impact) ? axe.serious : axe.lesser).push(`${name}: ${id} ${nodes[0]}`);
  }
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  if (width[0] > width[1]) wide.push(`${name}: ${width}`);
  if (shots && (!/^(phone|dark)-/.test(name) || PICTURED.has(name))) {
    mkdirSync(shots, { recursive: true });
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    const clip = { x: 0, y: 0, width: width[1], height: Math.min(height, tallest) };
    await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true, clip, animations: 'disabled' });
  }
}

async function text(page) {
  return page.evaluate(() => document.body.innerText);
}

const to = (name, fields = {}) => `${home}?${new URLSearchParams({ page: name, ...fields })}`;

async function choose(page) {
  await page.goto(to('backups', { domain: DOMAIN }));
  await page.click('.actions .main >> nth=0');
  await page.waitForURL(/draft=/, SLOW);
}

async function confirmed(page, shot) {
  await page.click('.bar button.main');
  await page.waitForSelector('.bar a.main', SLOW);
  if (shot) await look(page, shot);
  await page.click('.bar a.main');
}

async function restoring(page) {
  await page.fill('#typed', DOMAIN);
  await page.click('.danger');
  await page.waitForURL(/page=job/);
  return new URL(page.url()).searchParams.get('job');
}

async function wholeWay(browser) {
  const page = await visitor(browser, 'an');
  const first = Date.now();
  const answer = await page.goto(home);
  const took = Date.now() - first;
  ok(answer.status() === 200 && (await text(page)).includes(DOMAIN), 'the first page has the domain', await text(page));
  console.log(`# first answer after ${took} ms`);
  const cookie = (await page.context().cookies()).find(({ name }) => name === 'rv_panel');
  equal([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Lax', '/restore'], 'the cookie is for the server alone');
  const headers = answer.headers();
  equal([headers['x-content-type-options'], headers['referrer-policy'], headers['cache-control']], ['nosniff', 'no-referrer', 'no-store'], 'the headers are strict');
  const secure = await visitor(browser, 'an');
  const https = await secure.context().request.get(home, { headers: { 'X-Test-Https': 'on' } });
  ok(/;\s*secure/i.test(https.headers()['set-cookie']), 'under https the cookie is for https alone', https.headers()['set-cookie']);
  await secure.context().close();
  ok(!(await text(page)).includes('neighbour'), 'another domain is not listed');
  await look(page, '01-domains');
  await page.keyboard.press('Tab');
  equal(await page.evaluate(() => document.activeElement.className), 'skip', 'the first key leads past the head');

  await page.click('a.name');
  await look(page, '02-backups');
  equal(await page.locator('tbody tr').count(), 3, 'the backups are there');

  await page.click('tbody tr:nth-child(3) .button >> nth=0');
  await page.waitForSelector('.alert.fail', SLOW);
  await look(page, '03-damaged-backup');
  ok((await text(page)).includes('The backup is damaged'), 'a damaged backup is called one', await text(page));

  await page.goto(to('backups', { domain: DOMAIN }));
  await page.click('tbody tr:nth-child(1) .button >> nth=0');
  await page.waitForSelector('.tree', SLOW);
  await look(page, '04-preview');
  for (const name of ['wp-content/', 'uploads/', 'names/']) {
    await page.click(`.tree a.open:text-is("${name}")`);
    await page.waitForSelector(`.tree a.open:text-is("${name}")[aria-expanded=true]`);
  }
  ok(await page.locator(`.tree .path:text-is("${HOSTILE}")`).isVisible(), 'a hostile name is text');
  ok((await text(page)).includes('invoice\\u{202e}fdp.exe') && (await text(page)).includes('two\\nlines.txt'), 'direction marks and line ends are shown as what they are');
  equal(await page.evaluate(() => [document.images.length, document.querySelectorAll('main script').length]), [0, 0], 'and no element');
  await look(page, '05-preview-tree');
  await page.click('.tree a.open:text-is("many/")');
  await page.waitForSelector('.more [data-more]');
  const before = await page.locator('.tree .node').count();
  await page.click('.more [data-more]');
  await page.locator('.tree .node').nth(before + 199).waitFor();
  ok(true, 'a large folder comes in pages');
  const backup = new URL(page.url()).searchParams.get('backup');
  const nowhere = await page.context().request.get(to('preview', { domain: DOMAIN, backup, at: 'nosuch/' }));
  ok((await nowhere.text()).includes('There is no folder of this name'), 'a folder that is not in the backup is not called empty', nowhere.status());

  await choose(page);
  const cut = await page.context().request.post(to('select'), { form: {
    token: await page.locator('input[name=token]').first().inputValue(), draft: new URL(page.url()).searchParams.get('draft'), take_files: 'parts', go: 'check' } });
  ok(cut.status() === 422 && (await cut.text()).includes('max_input_vars'), 'a form of which PHP dropped the end selects nothing', cut.status());
  await page.check('#files input[value=parts]');
  await page.click('#files .node:has(label:text-is("wp-content/")) .open');
  await page.waitForSelector('label:text-is("uploads/")');
  await page.click('#files .node:has(label:text-is("uploads/")) .open');
  await page.waitForSelector('label:text-is("names/")');
  await page.click('#files .node:has(label:text-is("names/")) .open');
  await page.waitForSelector('label:text-is("two\\\\nlines.txt")');
  await page.check('.node:has(label:text-is("uploads/")) > input');
  ok(await page.locator('.node:has(label:text-is("names/")) > input').isDisabled(), 'what is below a ticked folder is taken with it');
  await page.uncheck('.node:has(label:text-is("uploads/")) > input');
  const all = await page.locator('.estimate strong').innerText();
  await page.check('#database input[value=none]');
  await page.check('#config input[value=parts]');
  await page.locator('#config .selectall button >> nth=0').click();
  equal(await page.locator('#config .boxes input:checked').count(), 4, 'all boxes are ticked at once');
  await page.locator('#config .selectall button >> nth=1').click();
  for (const name of ['two\\\\nlines.txt', HOSTILE, '100% of it? & more/']) {
    const box = page.locator(`.node:has(label:text-is("${name}")) > input`);
    await box.check();
  }
  ok((await page.locator('.estimate strong').innerText()) !== all, 'the estimate follows the selection');
  await look(page, '06-selection');
  await page.click('button[value=changes]');
  await page.waitForSelector('.changes, .empty', SLOW);
  ok(/0 new, 0 changed/.test(await text(page)), 'what is selected is compared', await text(page));
  await page.click('.bar a');
  await page.waitForSelector('#files');
  ok((await page.locator('#files').innerText()).includes('Ticked in other folders (3)'), 'the ticks stay', await page.locator('#files').innerText());

  await confirmed(page);
  const chosen = await page.locator('.selected').innerText();
  ok(chosen.includes(HOSTILE) && chosen.includes('two\\nlines.txt'), 'the last page names what was ticked', chosen);
  await look(page, '07-confirm-parts');
  await restoring(page);
  await page.waitForSelector('.boxes4', SLOW);
  equal(await page.locator('.boxes4 .figure').first().innerText(), '3', 'three names were restored, and no other');
  equal(digest(), damaged, 'the rest of the site was not touched');

  await choose(page);
  await page.click('button[value=changes]');
  await page.waitForSelector('.changes', SLOW);
  await look(page, '08-changes');
  await page.click('a[rel=next]');
  ok(/101–200 \/ /.test(await text(page)), 'the comparison comes in pages', await text(page));
  const beyond = await page.context().request.get(page.url().replace('offset=100', 'offset=9000000'));
  ok((await beyond.text()).includes('the list ends after'), 'a page beyond the last of them says so', beyond.status());
  await page.click('.tabs.inner a >> nth=1');
  ok((await text(page)).includes('wp_postmeta'), 'tables are compared');
  await look(page, '09-changes-tables');
  await page.click('.tabs.inner a >> nth=2');
  await look(page, '10-changes-configuration');
  await page.click('.bar button.main');
  await page.waitForSelector('.bar a.main', SLOW);
  await look(page, '11-checks');
  ok((await page.locator('.group').count()) >= 5, 'the checks come in groups');
  await page.click('.bar a.main');
  await look(page, '12-confirm');
  await page.fill('#typed', 'shop.exampl');
  await page.keyboard.press('Enter');
  await page.waitForURL(/note=typed/);
  ok((await text(page)).includes('nothing was changed'), 'another name starts nothing');

  // Another tab makes another restore of it, which nobody has seen here.
  const draft = new URL(page.url()).searchParams.get('draft');
  const tab = await page.context().newPage();
  const exact = async (is) => {
    await tab.goto(to('select', { draft }));
    await tab.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
    await tab.setChecked('input[name=exact]', is);
    await tab.click('.bar button.main');
    await tab.waitForSelector('.bar a.main', SLOW);
  };
  await exact(true);
  await page.fill('#typed', DOMAIN);
  await page.click('.danger');
  await page.waitForURL(/note=changed/);
  ok((await text(page)).includes('Nothing was started') && (await text(page)).includes('Exact replica'), 'what was not seen is not started, and is shown now');
  await exact(false);
  await tab.close();
  await page.goto(to('confirm', { draft }));
  ok(!(await text(page)).includes('Exact replica'), 'and gone again');

  let body;
  await page.route(/page=restore$/, (route) => { body = route.request().postData(); route.continue(); });
  const job = await restoring(page);
  await page.waitForSelector('progress');
  await page.waitForTimeout(700);
  await look(page, '13-progress');
  const replay = await page.context().request.post(to('restore'), { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, data: body });
  ok(replay.status() === 403 && (await replay.text()).includes('has been sent already'), 'the same form a second time is refused', replay.status());
  await page.reload();
  ok(await page.locator('#live progress').first().isVisible(), 'a reload in the middle shows the progress again');
  // Another browser, as after a closed laptop; and a hundred that ask at once.
  const other = await visitor(browser, 'an');
  await other.goto(to('job', { job }));
  const polls = () => readFileSync(`${env.WORLD}/base/restore_audit.jsonl`, 'utf8').split('\n').filter((line) => line.includes('restore_poll')).length;
  const counted = polls();
  const begun = Date.now();
  const asked = await Promise.all(Array.from({ length: 100 }, () => other.context().request.get(to('status', { job }))));
  const lasted = (Date.now() - begun) / 1000;
  const cost = polls() - counted;
  ok(asked.every((one) => one.status() === 200), 'a hundred watchers are answered');
  // Ten a second together, so that the last of a hundred waits for eight seconds and more.
  const again = await Promise.all(asked.map(async (one) => (await one.json()).again));
  ok(Math.min(...again) >= 1900 && Math.max(...again) > 8000 && Math.max(...again) <= 15000, 'and told when to ask again', again.join(' '));
  // One in half a second, and what the two pages themselves ask for is the same.
  ok(cost <= lasted * 2 + 3, `a hundred watchers cost ${cost} calls in ${lasted.toFixed(1)} s`);
  ok((await page.locator('#said').textContent()) !== '' || (await page.locator('.boxes4').count()) > 0, 'who listens is told');
  await page.waitForSelector('.boxes4', SLOW);
  await other.waitForSelector('.boxes4', SLOW);
  ok(true, 'the report comes by itself, in both browsers');
  await look(page, '14-report');
  equal(await page.locator('.boxes4 .card').count(), 4, 'the report has four boxes');
  ok((await text(page)).includes('is kept until'), 'it says until when one can go back');
  equal(digest(), good, 'the site is as in the backup');
  await other.context().close();

  await page.click('a.button:text-is("Roll back")');
  await look(page, '15-rollback');
  await restoring(page);
  await page.waitForSelector('.boxes4', SLOW);
  await look(page, '16-rollback-report');
  equal(digest(), damaged, 'and back again');
  ok(!(await page.locator('.boxes4').innerText()).includes('Not part of it'), 'what went back is said to have', await page.locator('.boxes4').innerText());

  await page.goto(to('snapshots', { domain: DOMAIN }));
  await look(page, '17-snapshots');
  const count = await page.locator('tbody tr').count();
  await page.click('main form button');
  await page.waitForURL(/note=made/, SLOW);
  equal(await page.locator('tbody tr').count(), count + 1, 'a snapshot is made');
  await page.click('tbody tr:has-text("portable") .actions a >> nth=1');
  await look(page, '18-delete');
  await page.fill('#typed', DOMAIN);
  await page.click('.danger');
  await page.waitForURL(/note=deleted/, SLOW);
  equal(await page.locator('tbody tr').count(), count, 'and deleted');
  await page.goto(to('jobs', { domain: DOMAIN }));
  await look(page, '19-jobs');
  const checked = (await page.locator('tr:has-text("validation") a').first().getAttribute('href')).replace(/.*job=/, '');
  const nothing = await page.context().request.get(to('rollback', { domain: DOMAIN, job: checked }));
  ok(nothing.status() === 404 && (await nothing.text()).includes('nothing to go back to'), 'there is no way back to before a validation', nothing.status());
  await page.goto(to('logs', { domain: DOMAIN }));
  await look(page, '20-logs');
  await page.click('td code');
  ok((await page.locator('pre.log').innerText()).includes(DOMAIN), 'a log is read');
  await look(page, '20-log');
  const another = await page.request.get(to('log', { domain: DOMAIN, name: '../../restore.log' }));
  ok(another.status() === 404, 'what is no log of the domain is not found', another.status());
  await page.goto(to('backups', { domain: DOMAIN }));
  await page.click('main section button');
  await page.waitForSelector('.group', SLOW);
  await look(page, '21-verification');
  await drilled(page);

  await choose(page);
  await confirmed(page);
  await restoring(page);
  await page.click('.bar button');
  await page.waitForSelector('.alert.fail, .alert.warn', SLOW);
  ok((await text(page)).includes('Restore cancelled'), 'a cancelled restore says so', await text(page));
  await look(page, '22-cancelled');
  equal(digest(), damaged, 'and has changed nothing');
  await page.context().close();
  return job;
}

// A real drill, and a year of them made of it: some slower, one that failed.
async function drilled(page) {
  await page.goto(to('drills', { domain: DOMAIN }));
  ok((await text(page)).includes('There has been no drill'), 'no drill yet');
  execFileSync(`${env.WORLD}/run/rocketvps-restore`, ['--config', `${env.WORLD}/restore.toml`, 'drill', DOMAIN], { timeout: 120000 });
  await page.reload();
  equal(await page.locator('.chart circle').count(), 2, 'a drill is a dot in each chart');
  equal(await page.locator('.chart .gap').count(), 0, 'and no gap');
  ok((await page.locator('tbody tr').innerText()).includes('works'), 'it works', await page.locator('tbody tr').innerText());
  const file = `${env.WORLD}/base/restore_drills/${DOMAIN}.jsonl`;
  const last = JSON.parse(readFileSync(file, 'utf8'));
  const before = Array.from({ length: 11 }, (_, week) => ({ ...last, time: `2025-0${1 + Math.floor(week / 4)}-${String(1 + 7 * (week % 4)).padStart(2, '0')}T04:10:00+00:00`, recovery_s: last.recovery_s * (1 + week / 5), backup_age_s: 7200 + 3600 * ((week * 7) % 5) }));
  before[6] = { ...before[6], outcome: 'fail', message: HOSTILE, recovery_s: null, change_over_ms: null, error: { code: 'backup_corrupt', number: 22, message: HOSTILE, hint: '', context: {} } };
  writeFileSync(file, [...before, last].map((drill) => `${JSON.stringify(drill)}\n`).join(''));
  await page.reload();
  equal(await page.locator('.chart circle').count(), 23, 'a drill that failed has an age and no time of recovery');
  equal(await page.locator('.chart .gap').count(), 1, 'where it would be is a gap');
  equal(await page.locator('.chart').first().locator('polyline').count(), 2, 'at which the line ends and begins again');
  equal(await page.locator('tbody tr').count(), 12, 'the table has them all');
  ok((await page.locator('tbody').innerText()).includes(HOSTILE), 'what it says is text');
  const label = await page.locator('.chart').first().getAttribute('aria-label');
  ok(/A restore takes in 12 drills: from .*s to .*s, the last .*s/.test(label), 'the chart says what it shows', label);
  await look(page, '23-drills', { tallest: 1600 });
  await page.click('main form button');
  await page.waitForSelector('.alert[role=status]', SLOW);
  const said = await text(page);
  ok(said.includes('The backup works') && said.includes('A restore would take about'), 'a rehearsal is begun there, and says what came of it', said);
  await look(page, '24-rehearsal');
}

async function strangers(browser, job) {
  const nobody = await visitor(browser, null);
  const none = await nobody.goto(home);
  equal(none.status(), 403, 'nobody sees nothing');
  await look(nobody, '30-nobody');
  for (const name of ['backups', 'jobs', 'job', 'status', 'events']) {
    const answer = await nobody.context().request.get(to(name, { domain: DOMAIN, job }));
    ok(answer.status() === 403 && !/backup_2025|wp_|staging/.test(await answer.text()), `nobody and ${name}`, answer.status());
  }
  await nobody.context().close();

  const page = await visitor(browser, 'binh');
  await page.goto(home);
  ok(!(await text(page)).includes(DOMAIN), 'a second user does not see the domain');
  const token = async (once) => {
    await page.goto(to(once ? 'snapshots' : 'backups', { domain: 'neighbour.example' }));
    return page.locator('input[name=token]').last().inputValue();
  };
  const backup = await (async () => {
    const owner = await visitor(browser, 'an');
    await owner.goto(to('backups', { domain: DOMAIN }));
    const address = await owner.locator('.actions a').first().getAttribute('href');
    await owner.context().close();
    return new URLSearchParams(address.split('?')[1]).get('backup');
  })();
  const fields = { domain: DOMAIN, job, backup, snapshot: backup, draft: 'x' };
  for (const name of ['backups', 'preview', 'tree', 'select', 'check', 'confirm', 'changes', 'job', 'status', 'events', 'snapshots', 'rollback', 'delete', 'jobs', 'logs', 'log', 'drills', 'audit', 'approval', 'no-such-page']) {
    const address = ['tree', 'changes', 'select'].includes(name) ? { domain: DOMAIN, job, backup } : fields;
    const answer = await page.context().request.get(to(name, address));
    ok(answer.status() === 404 && !/backup_2025|wp-|wp_|2025-10|restore_jobs|verification/i.test((await answer.text()).replace(/lang=vi[^"]*/, '')), `a second user and ${name}`, `${answer.status()}`);
  }
  for (const [name, once] of [['rollback', true], ['delete', true], ['cancel', true], ['snapshot', true], ['recover', true], ['restore', true], ['again', true], ['verify', false], ['select', false], ['check', false], ['changes', false]]) {
    const answer = await page.context().request.post(to(name), { form: { ...fields, token: await token(once), typed: DOMAIN, end: '1', id: 'x' }, maxRedirects: 0 });
    // The token of the page of snapshots is good for making one, and for nothing else.
    equal(answer.status(), once && name !== 'snapshot' ? 403 : 404, `a second user cannot start ${name}`);
  }
  for (const name of ['rollback', 'verify']) {
    const none = await page.context().request.post(to(name), { form: { domain: 'neighbour.example', token: '' } });
    const foreign = await page.context().request.post(to(name), { form: { domain: 'neighbour.example', token: await token(name === 'rollback') }, headers: { 'Sec-Fetch-Site': 'cross-site' } });
    equal([none.status(), foreign.status()], [403, 403], `${name} without a token, and from another site`);
  }
  await page.goto(to('jobs', { domain: DOMAIN }));
  await look(page, '31-not-yours');
  await page.context().close();

  const operator = await visitor(browser, '<b>operator</b>');
  await operator.goto(home);
  ok((await text(operator)).includes('neighbour.example') && (await text(operator)).includes('<b>operator</b>'), 'who may see all sees all, and his name is text');
  await operator.context().close();
}

async function withoutScript(browser) {
  const before = digest();
  const page = await visitor(browser, 'an', { context: { javaScriptEnabled: false } });
  await page.goto(home);
  await page.click('a.name');
  await page.click('.actions .main >> nth=0');
  await page.waitForURL(/draft=/, SLOW);
  await page.check('#files input[value=parts]');
  for (const name of ['wp-content/', 'uploads/', 'names/']) {
    await page.click(`#files .node:has(label:text-is("${name}")) .open`);
    await page.waitForSelector(`.crumbs [aria-current]:text-is("${name}")`);
  }
  await page.check(`.node:has(label:text-is("${HOSTILE}")) > input`);
  await page.click('.crumbs button:text-is("wp-content/")');
  await page.waitForSelector('.crumbs [aria-current]:text-is("wp-content/")');
  ok((await page.locator('#files').innerText()).includes('Ticked in other folders (1)'), 'without JavaScript: ticks stay from folder to folder');
  await page.check('#files input[value=all]');
  await confirmed(page);
  await restoring(page);
  ok(await page.locator('progress').first().isVisible(), 'without JavaScript: the progress is there');
  await page.waitForSelector('.boxes4', SLOW);
  ok(true, 'without JavaScript: the report comes by itself');
  equal(digest(), good, 'without JavaScript: the site is as in the backup');
  await page.click('a.button:text-is("Roll back")');
  await restoring(page);
  await page.waitForSelector('.boxes4', SLOW);
  equal(digest(), before, 'without JavaScript: and back again');
  await page.context().close();
}

async function streams(browser, job) {
  const page = await visitor(browser, 'an');
  await page.goto(home);
  const read = await page.evaluate(async (address) => {
    const answer = await fetch(address);
    const body = await answer.text();
    const id = /^id: (.*)$/m.exec(body)?.[1];
    return [answer.headers.get('content-type'), body.split('data: ').length - 1, id];
  }, to('events', { job }));
  equal([read[0].split(';')[0], read[1]], ['text/event-stream', 1], 'the stream of a job that has ended says so once');
  const again = await page.context().request.get(to('events', { job }), { headers: { 'Last-Event-ID': read[2] } });
  ok(!(await again.text()).includes('data:'), 'what was seen is not sent again');

  // Each stream holds a worker of PHP-FPM: two may, the third is told to poll.
  await choose(page);
  await confirmed(page);
  await page.route(/page=(events|status)/, (route) => route.abort());
  const running = await restoring(page);
  const held = await visitor(browser, 'an');
  await held.goto(home);
  const codes = await held.evaluate(async (address) => {
    const first = [await fetch(address), await fetch(address)];
    const third = await fetch(address);
    const begun = Date.now();
    const bodies = await Promise.all(first.map((answer) => answer.text()));
    return [first.map((answer) => answer.status), third.status, Date.now() - begun, bodies.every((body) => body.includes('data: {'))];
  }, to('events', { job: running }));
  equal([codes[0], codes[1], codes[3]], [[200, 200], 204, true], 'two streams at once, and no third');
  ok(codes[2] < 6000, `a stream ends by itself, here after ${codes[2]} ms`);
  await held.goto(to('job', { job: running }));
  await held.waitForSelector('.boxes4', SLOW);
  const audit = readFileSync(`${env.WORLD}/base/restore_audit.jsonl`, 'utf8').split('\n').filter((line) => line.includes(running) && line.includes('restore_start'));
  ok(audit.length > 0 && audit.every((line) => JSON.parse(line).on_behalf === 'an'), 'the audit log of the broker names the user of the panel', audit.join('\n'));
  await held.context().close();
  wrong.splice(0, wrong.length, ...wrong.filter((one) => !one.includes('net::ERR_FAILED')));
  await page.context().close();
}

// All places for streams taken: the page polls, and the end is seen all the same.
async function polling(browser) {
  const page = await visitor(browser, 'an');
  await choose(page);
  await confirmed(page);
  await page.route(/page=events/, (route) => route.fulfill({ status: 204, headers: { 'Content-Security-Policy': CSP } }));
  await restoring(page);
  await page.waitForSelector('.boxes4', SLOW);
  ok(true, 'without a stream the page polls');
  await page.context().close();
}

async function secondPerson(browser) {
  const page = await visitor(browser, 'chi');
  await choose(page);
  await page.click('.bar button.main');
  await page.waitForSelector('input[name="accept[]"]', SLOW);
  await look(page, '40-finding');
  equal(await page.locator('.bar a.main').count(), 0, 'a failed check is the end of the way');
  ok((await text(page)).includes('a query of <b>shop</b> runs'), 'what the engine says is text');
  await page.check('input[name="accept[]"]');
  await page.click('fieldset button');
  await page.waitForSelector('.bar a.main', SLOW);
  ok(true, 'an accepted finding lets it go on');
  await page.click('.bar a.main');
  ok((await text(page)).includes('change_over'), 'the last page names what was accepted');
  const rules = `${env.WORLD}/base/config/access.toml`;
  const usual = readFileSync(rules, 'utf8');
  writeFileSync(rules, `${usual}approval = true\n`);
  await page.fill('#typed', DOMAIN);
  await page.click('.danger');
  await page.waitForURL(/page=approval/);
  await look(page, '41-approval');
  const id = await page.locator('code.id').innerText();
  ok(/^[0-9a-f]{24}$/.test(id) && (await text(page)).includes('administrator'), 'it says who has to approve what', id);
  await page.click('main form button');
  await page.waitForURL(/note=waiting/);
  ok((await text(page)).includes('not approved yet'), 'sent again too early, it waits');
  execFileSync(`${env.WORLD}/run/rocketvps-restore`, ['--config', env.RV_CONFIG, 'approve', id], { timeout: 60000 });
  await page.click('main form button');
  await page.waitForSelector('.boxes4', SLOW);
  ok(true, 'approved, the same request is carried out');
  writeFileSync(rules, usual);
  await page.goto(to('audit', { domain: DOMAIN }));
  ok((await text(page)).includes('<i>mallory</i>'), 'the audit of the host is shown');
  await look(page, '42-audit');
  await page.context().close();
}

async function vietnamese(browser) {
  const page = await visitor(browser, 'an', { context: { locale: 'vi-VN' } });
  await page.goto(home);
  equal(await page.evaluate(() => document.documentElement.lang), 'vi', 'the language is the browser\'s');
  await look(page, '50-vi-domains');
  await choose(page);
  await look(page, '51-vi-selection');
  await page.click('.bar button.main');
  await page.waitForSelector('.bar a.main', SLOW);
  ok((await text(page)).includes('Mọi kiểm tra đều đạt'), 'the checks are in Vietnamese', await text(page));
  await look(page, '52-vi-checks');
  await page.click('.bar a.main');
  await look(page, '53-vi-confirm');
  await restoring(page);
  await page.waitForSelector('.boxes4', SLOW);
  await look(page, '54-vi-report');
  const figure = await page.locator('.boxes4 .figure').first().innerText();
  ok(/^\d{1,3}(\.\d{3})+$/.test(figure), 'numbers are written as in Vietnamese', figure);
  ok(!/panel_|code_|state_|label_/.test(await text(page)), 'no word is missing');
  await page.click('a[hreflang=en]');
  equal(await page.evaluate(() => document.documentElement.lang), 'en', 'and the other one a press away');
  await page.context().close();
}

async function everyWidth(browser, job) {
  for (const [kind, context] of [
    ['phone', { viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true }],
    ['dark', { colorScheme: 'dark' }],
  ]) {
    const page = await visitor(browser, 'an', { context });
    const phone = kind === 'phone';
    await page.goto(home);
    await look(page, `${kind}-domains`, { phone });
    await page.goto(to('backups', { domain: DOMAIN }));
    await look(page, `${kind}-backups`, { phone });
    await page.click('.actions .button >> nth=0');
    await look(page, `${kind}-preview`, { phone });
    await choose(page);
    await page.check('#files input[value=parts]');
    await look(page, `${kind}-selection`, { phone });
    await page.check('#files input[value=all]');
    await confirmed(page, `${kind}-checks`);
    await look(page, `${kind}-confirm`, { phone });
    await page.goto(to('job', { job }));
    await look(page, `${kind}-report`, { phone });
    await page.goto(to('snapshots', { domain: DOMAIN }));
    await look(page, `${kind}-snapshots`, { phone });
    await page.goto(to('jobs', { domain: DOMAIN }));
    await look(page, `${kind}-jobs`, { phone });
    await page.goto(to('changes', { job: (await page.locator('tr:has-text("comparison") a').first().getAttribute('href')).replace(/.*job=/, '') }));
    await look(page, `${kind}-changes`, { phone });
    if (phone) {
      await choose(page);
      await confirmed(page);
      await restoring(page);
      await page.waitForTimeout(500);
      await look(page, 'phone-progress', { phone });
      await page.waitForSelector('.boxes4', SLOW);
    }
    await page.context().close();
  }
}

async function byPath(browser, job) {
  const page = await visitor(browser, 'an', { paths: true });
  const answer = await page.goto(`${home}/backups?domain=${DOMAIN}`);
  equal([answer.status(), await page.locator('.actions a').first().getAttribute('href').then((address) => address.startsWith('/restore/preview?domain='))], [200, true], 'pages by path');
  await page.click('.tabs a >> nth=2');
  ok(page.url().startsWith(`${home}/jobs?`), 'and their links', page.url());
  equal((await page.context().request.get(`${env.PANEL_URL}elsewhere`)).status(), 404, 'another path is not ours');
  await page.context().close();
}

await withBrowser(async (browser) => {
  try {
    const job = await wholeWay(browser);
    await strangers(browser, job);
    await streams(browser, job);
    await byPath(browser, job);
    await withoutScript(browser);
    await polling(browser);
    await secondPerson(browser);
    await vietnamese(browser);
    await everyWidth(browser, job);
  } catch (error) {
    ok(false, 'the way goes on', error.stack);
    if (shots) {
      for (const context of browser.contexts()) for (const page of context.pages()) await page.screenshot({ path: path.join(shots, 'stopped.png') }).catch(() => {});
    }
  }
});
equal(axe.serious, [], `axe finds nothing serious or critical on ${axe.pages} pages`);
if (axe.lesser.length > 0) console.log(`# lesser: ${axe.lesser.join('\n# ')}`);
console.log(`# axe: ${axe.pages} pages, up to ${axe.rules} rules passed on one`);
equal(wide, [], 'no page is wider than its window');
equal(wrong, [], 'no dialog, no error of a script, nothing against the policy, no failure of the server');
const errors = existsSync(`${env.STAGE}/php.log`) ? readFileSync(`${env.STAGE}/php.log`, 'utf8') : '';
equal(errors, '', 'PHP has nothing to warn of');
finish();
