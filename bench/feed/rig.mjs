// @ts-check
/** Servers under test and the load on them, each in a process of its own. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { run } from '../../scripts/run.mjs';
import { root } from '../../scripts/sources.mjs';
import { withCargoOnPath } from '../../scripts/tools.mjs';
import { TLS, tokenFile } from './access.mjs';
import { folder } from './folder.mjs';
import { framesOf, records, SYMBOL, VENUE, writeRecords } from './records.mjs';

const LOAD = path.join(root, 'target', 'release', 'depthwire-load');
const PEERS = path.join(root, 'bench', 'peers', 'feed');
const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));

/** The message that subscribes a book. @param {string} symbol */
export function subscribe(symbol = SYMBOL) {
  return JSON.stringify({ op: 'subscribe', id: 1, channel: 'book', instrument: `${VENUE}:${symbol}` });
}

/**
 * A server that runs.
 * @typedef {object} Server
 * @property {string} kind
 * @property {number} feed its port for subscribers
 * @property {number} input its port for records
 * @property {number} pid
 *
 * What `depthwire-load` prints; see `bench/src/load/report.rs`.
 * @typedef {object} Report
 * @property {boolean} ok
 * @property {number} clients
 * @property {number} sent
 * @property {number} late
 * @property {number} lost
 * @property {number} deliveries
 * @property {number} cpuNs
 * @property {number} deliveriesPerCpuSecond
 * @property {number} cpuNsPerRecord
 * @property {{ p50: number, p90: number, p99: number, p999: number, max: number }} latencyUs
 * @property {{ p50: number, p90: number, p99: number, p999: number, max: number }} latenessUs
 * @property {number} seconds
 * @property {number} joinedMs until all were in
 * @property {{ p50: number, p90: number, p99: number, p999: number, max: number }} each until one was in, µs
 * @property {readonly [before: number, joined: number, end: number]} memoryBytes
 * @property {readonly { code: number, afterMs: number }[]} floods
 * @property {number} handshakesPerSecond of a load of handshakes, which has `ok`, `lost`, `cpuNs`, `seconds` and `each` beside it
 * @property {number} handshakesPerCpuSecond
 *
 * What is put on a server.
 * @typedef {object} Load
 * @property {number} clients
 * @property {number} rate records a second
 * @property {number} seconds
 * @property {number} warmSeconds
 * @property {readonly string[]} [subscribe] messages of each client; default: the book that the records are of
 * @property {number} [joiningMax] connections that are being made at a time
 * @property {number} [images] that each client waits for
 * @property {number} [stalled] clients beside them that never read
 * @property {number} [flooders] clients beside them that send without end
 * @property {number} [handshakes] clients that connect, are greeted and leave, in place of all others
 * @property {boolean} [tls] whether clients speak TLS
 * @property {number} [tokens] new ones that handshakes show, each the next one
 */

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const RECORDS = path.join(folder, 'records');
const FRAMES = path.join(folder, 'frames');

/** Builds the load, the peers if wanted, and what is sent. Throws with the output of a build that failed. @param {boolean} peers */
export async function prepareRig(peers) {
  const env = withCargoOnPath(process.env);
  /** @type {[string, ...string[]][]} */
  const builds = [
    [
      'cargo',
      'build',
      '--quiet',
      '--release',
      '--locked',
      '--package',
      'depthwire-bench',
      '--bin',
      'depthwire-load',
    ],
  ];
  if (peers)
    builds.push([
      'cargo',
      'build',
      '--quiet',
      '--release',
      '--locked',
      '--manifest-path',
      path.join(PEERS, 'Cargo.toml'),
    ]);
  for (const command of builds) {
    const { ok, output } = await run(command, { cwd: root, env });
    if (!ok) throw new Error(`${command.join(' ')}\n${output}`);
  }
  writeRecords(RECORDS, records());
  writeRecords(FRAMES, framesOf(records()));
}

/** Lines of servers' standard error, with how often each came: the first is told at once. @type {Map<string, number>} */
const complaints = new Map();
process.on('exit', () => {
  for (const [line, count] of complaints) if (count > 1) console.error(`${count} times: ${line}`);
});

/** @param {string} line */
function complain(line) {
  const count = complaints.get(line) ?? 0;
  complaints.set(line, count + 1);
  if (count === 0) console.error(line);
}

/** Starts a server of `bench/feed/server.mjs`, or of the peers. @param {string} kind @param {{ descriptors?: number }} [shape] @returns {Promise<Server>} */
export async function startServer(kind, shape = {}) {
  const isPeer = kind === 'tungstenite' || kind === 'fastwebsockets';
  const own = [process.execPath, SERVER, kind, JSON.stringify(shape)];
  // Node raises its soft limit to the hard one, so both are set.
  const few = ['sh', '-c', `ulimit -n ${shape.descriptors}; exec "$0" "$@"`, ...own];
  const [program, ...args] = isPeer
    ? [path.join(PEERS, 'target', 'release', 'depthwire-feed-peers'), kind, FRAMES]
    : shape.descriptors === undefined
      ? own
      : few;
  const child = spawn(/** @type {string} */ (program), args, { stdio: ['pipe', 'pipe', 'pipe'] });
  running.add(child);
  createInterface({ input: child.stderr }).on('line', complain);
  child.on('close', () => running.delete(child));
  const [line] = await Promise.race([
    once(createInterface({ input: /** @type {import('node:stream').Readable} */ (child.stdout) }), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`the server ${kind} has ended`))),
  ]);
  return { kind, pid: child.pid ?? 0, ...JSON.parse(line) };
}

/** Puts load on a server. @param {Server} server @param {Load} what @returns {Promise<Report>} */
export function load({ feed, input, pid }, { tls = false, tokens = 0, ...what }) {
  const plan = {
    feed: `127.0.0.1:${feed}`,
    ...(what.rate > 0 ? { input: `127.0.0.1:${input}`, records: RECORDS } : {}),
    subscribe: [subscribe()],
    serverPid: pid,
    ...(tls ? { certificate: TLS.certFile } : {}),
    ...(tokens > 0 ? { tokens: tokenFile(tokens) } : {}),
    ...what,
  };
  return new Promise((resolve, reject) => {
    execFile(LOAD, [JSON.stringify(plan)], (error, out, err) => {
      if (out === '') reject(new Error(err || String(error)));
      else resolve(JSON.parse(out));
    });
  });
}
