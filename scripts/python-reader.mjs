// @ts-check
/**
 * The tests of `examples/python`: its reader against the test vectors, against the feeds of all recordings, and against a server
 * of this build. `node scripts/python-reader.mjs [PYTHON]`, after a build.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { writeFeeds } from './feeds.mjs';
import { root } from './sources.mjs';

const python = process.argv[2] ?? 'python3';
const recordings = process.env.DEPTHWIRE_DATA || path.resolve(root, '..', 'shared', 'data');
const folder = mkdtempSync(path.join(tmpdir(), 'depthwire-feeds-'));
const main = path.join(root, 'dist', 'cli', 'main.js');
const server = spawn(process.execPath, [main, 'serve', '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
const gone = once(server, 'exit');

/** Where the server listens, as it prints it. */
async function address() {
  for (const stream of [server.stdout, server.stderr]) stream.setEncoding('utf8');
  /** @type {Promise<string>} */
  const said = new Promise((resolve) => {
    for (const stream of [server.stdout, server.stderr]) {
      createInterface(stream).on('line', (line) => {
        const [found] = /127\.0\.0\.1:\d+/.exec(line) ?? [];
        if (found !== undefined) resolve(found);
      });
    }
  });
  return Promise.race([said, gone.then(() => Promise.reject(new Error('the server ended by itself')))]);
}

try {
  await writeFeeds(folder, recordings);
  const env = {
    ...process.env,
    DEPTHWIRE_FEEDS: folder,
    DEPTHWIRE_SERVER: await address(),
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const cwd = path.join(root, 'examples', 'python');
  const tests = spawn(python, ['-m', 'unittest', '--verbose'], { cwd, env, stdio: 'inherit' });
  const [code] = await once(tests, 'exit');
  process.exitCode = code ?? 1;
} finally {
  server.kill();
  await gone;
  rmSync(folder, { recursive: true });
}
