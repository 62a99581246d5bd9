#!/usr/bin/env node
import { explain } from '../errors.js';
import { Ending } from './ending.js';
import { keyboardOf } from './keyboard.js';
import type { run as Run } from './program.js';
import { EXIT } from './shell.js';
import { terminalOf } from './terminal.js';

/** 128 and the signal's number, as shells have it. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** All commands, or why there are none but one. */
async function commands(): Promise<{ readonly run: typeof Run; readonly limit: (stopMs: number) => void }> {
  try {
    const [{ run }, { endWithSignals }] = await Promise.all([import('./program.js'), import('#native')]);
    return { run, limit: endWithSignals };
  } catch (cause) {
    const { runWithoutEngine } = await import('./without-engine.js');
    return { run: (args, shell) => runWithoutEngine(args, shell, cause), limit: () => {} };
  }
}

const { run, limit } = await commands();

for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => ending.stop(signal, code));
// Behind the listeners: Node, which puts its own watch of a signal in the place of others, has put it by now.
const ending = new Ending({
  exit: (code) => process.exit(code),
  limit,
  nowMs: () => performance.now(),
  later: (ms, then) => void setTimeout(then, ms).unref(),
});
const hangups = new Set<() => void>();
process.on('SIGHUP', () => {
  for (const listener of hangups) listener();
  if (hangups.size === 0) ending.stop('SIGHUP', 129);
});
process.on('uncaughtException', (error) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = EXIT.failed;
  ending.stop('internal error', EXIT.failed);
});

const stdout = terminalOf(process.stdout, () => ending.stop('output closed', EXIT.ok));
const stderr = terminalOf(process.stderr, () => {});
const code = await run(process.argv.slice(2), {
  stdout,
  stderr,
  keyboard: keyboardOf(process.stdin),
  signal: ending.signal,
  env: process.env,
  folder: process.cwd(),
  onHangup: (listener) => {
    hangups.add(listener);
    return () => hangups.delete(listener);
  },
  endWithin: (ms) => ending.allow(ms),
});
process.exit(process.exitCode ?? code);
