// A real Chromium, and what the tests say in the Test Anything Protocol.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(process.env.PANEL_NPM + '/');
const { chromium } = require('playwright-core');
export const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

let count = 0;
let failed = 0;

export function ok(good, name, detail) {
  count += 1;
  if (!good) failed += 1;
  console.log(`${good ? 'ok' : 'not ok'} ${count} - ${name}`);
  if (!good && detail !== undefined) console.log(`# ${String(detail).replaceAll('\n', '\n# ')}`);
}

export function equal(seen, wanted, name) {
  ok(JSON.stringify(seen) === JSON.stringify(wanted), name, `seen ${JSON.stringify(seen)}, wanted ${JSON.stringify(wanted)}`);
}

export function finish() {
  console.log(`1..${count}`);
  process.exitCode = failed === 0 ? 0 : 1;
}

// Each start has a folder of its own for what the browser keeps, and each visitor a context of his own in it.
export async function withBrowser(deed) {
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: FLAGS, timeout: 60000 });
  try {
    await deed(browser);
  } finally {
    await browser.close();
  }
}
