// @ts-check
/**
 * The fake venue of the storm, a process of its own: `node storm-venue.mjs PRODUCT BOOKS SPEED`. It says where it listens, cuts
 * its connections and tells its ledger when it is asked to.
 */
import { FakeVenue } from '../dist/fake-venue/fake-venue.js';
import { SimulatedMarket } from '../dist/fake-venue/simulated-market.js';
import { productAt } from './storm-limits.mjs';

/** Two hundred of the busiest books at their real rate would keep this machine busy with nothing else. */
const FRAMES_PER_SECOND_MAX = 4000;
const SAMPLE_MS = 500;
const STEP_MS = 5;
/** Slower markets live for a moment, a tick of the fake venue, each so often. */
const MOMENT_MS = 6;

/** Frames a second of markets as they are. @param {string} product @param {readonly string[]} codes @param {boolean} isByOrder */
function rateOf(product, codes, isByOrder) {
  const startMs = Date.now();
  const market = new SimulatedMarket(product, codes, { seed: 1, nowMs: startMs, keepsFirst: false });
  const hearings = codes.flatMap((code) => market.hear(code, isByOrder, 0) ?? []);
  let frames = 0;
  for (const hearing of hearings) hearing.open(startMs, () => {});
  for (let at = STEP_MS; at <= SAMPLE_MS; at += STEP_MS) {
    market.step(startMs + at);
    for (const hearing of hearings)
      hearing.step(startMs + at, () => {
        frames += 1;
      });
  }
  for (const hearing of hearings) hearing.close();
  market.close();
  return (1000 * frames) / SAMPLE_MS;
}

const [name = '', books = '', speed = '1'] = process.argv.slice(2);
const { facts, product, codes } = productAt(name, Number(books), Number(speed));
const pace = FRAMES_PER_SECOND_MAX / rateOf(name, codes, product.offers.book !== 'built');
const venue = new FakeVenue({ products: [{ facts, product, codes }] });
await venue.listen();
if (pace < 1) {
  venue.pause();
  setInterval(() => {
    venue.resume();
    setTimeout(() => venue.pause(), MOMENT_MS);
  }, MOMENT_MS / pace);
}

process.on('message', (asked) => {
  if (asked === 'cut') venue.cutAll();
  process.send?.({ nowMs: venue.nowMs(), requests: venue.ledger.requests });
});
process.on('SIGTERM', () => process.exit());
process.on('disconnect', () => process.exit());
process.send?.({ hosts: venue.hosts(), pace: Math.min(1, pace) });
