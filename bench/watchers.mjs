// Watchers of one job, as open pages of the panel that poll: each asks when its last answer said to.
//   node watchers.mjs URL JOB COUNT    until the job ends; prints `answers=N seconds=S`
const [url, job, count] = process.argv.slice(2);
const address = `${url}restore?page=status&job=${encodeURIComponent(job)}`;
const begun = Date.now();
let answers = 0;
let over = false;

async function watcher(number) {
  // They did not all open the page at once.
  let wait = (7000 / count) * number;
  while (!over) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (over) return;
    const answer = await fetch(address, { headers: { 'X-Test-User': 'an' } });
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    const status = await answer.json();
    answers += 1;
    over ||= status.ended;
    wait = status.again;
  }
}

await Promise.race(Array.from({ length: Number(count) }, (_, number) => watcher(number)));
console.log(`answers=${answers} seconds=${((Date.now() - begun) / 1000).toFixed(2)}`);
process.exit(0);
