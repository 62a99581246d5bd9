// @ts-check
/** Somebody who scrapes `/metrics` again and again. */

/** @param {import('./rig.mjs').Server} server @param {{ everyMs?: number }} options */
export async function scraper({ feed }, { everyMs = 1000 }) {
  const wrong = new Set();
  let scrapes = 0;
  const startMs = performance.now();
  async function scrape() {
    const answer = await fetch(`http://127.0.0.1:${feed}/metrics`);
    const text = await answer.text();
    scrapes += 1;
    if (answer.status !== 200 || !text.endsWith('# EOF\n')) wrong.add(`status ${answer.status}`);
  }
  const timer = setInterval(scrape, everyMs);
  await scrape();
  return async () => {
    clearInterval(timer);
    const scrapesPerSecond = (scrapes * 1000) / (performance.now() - startMs);
    return { wrong: [...wrong], scrapesPerSecond };
  };
}
