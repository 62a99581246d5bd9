// @ts-check
/**
 * The certificate and the keys of a server are replaced while it is under load: first another key beside the old one, then
 * without it. Whoever comes has to see what is new, and who is there has to lose nothing, which the load counts.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { certificate, keepKeys, keyNow, renewCertificate, renewKeys, token } from './access.mjs';
import { bearer, handshakeOf, RawClient } from './raw-client.mjs';

const STEP_MS = 400;
const RELOAD_MS_MAX = 5000;

/** How a handshake with a token is answered; `cut` for one that does not trust the certificate. @param {number} port @param {string} shown */
async function attempt(port, shown) {
  const client = new RawClient(port, certificate());
  client.send(handshakeOf(bearer(shown)));
  await client.answered;
  const { status } = client;
  client.socket.destroy();
  return status;
}

/** @param {import('./rig.mjs').Server} server */
export async function rotation({ feed, pid }) {
  /** @type {string[]} */
  const wrong = [];
  let rotations = 0;
  let isOver = false;
  /** @param {string} what @param {string} shown @param {number} status */
  async function expect(what, shown, status) {
    let got = 0;
    const untilMs = performance.now() + RELOAD_MS_MAX;
    do got = await attempt(feed, shown);
    while (got !== status && performance.now() < untilMs && (await pause(10, true)));
    if (got !== status) wrong.push(`${what}: ${got} in place of ${status}`);
  }
  async function rotate() {
    const before = keyNow();
    renewCertificate();
    renewKeys([before]);
    process.kill(pid, 'SIGHUP');
    await expect('a new key beside the old one', token('new'), 101);
    await expect('the old key beside a new one', token('old', { by: before }), 101);
    keepKeys([]);
    process.kill(pid, 'SIGHUP');
    await expect('the old key that is gone', token('gone', { by: before }), 401);
    await expect('the new key alone', token('last'), 101);
    rotations += 1;
  }
  const done = (async () => {
    while (!isOver) {
      await pause(STEP_MS);
      await rotate();
    }
  })();
  return async () => {
    isOver = true;
    await done;
    return { wrong, rotations };
  };
}
