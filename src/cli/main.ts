#!/usr/bin/env node
import { explain } from '../errors.js';
import { run } from './program.js';
import { EXIT } from './shell.js';
import { terminalOf } from './terminal.js';

/** After the first Ctrl-C a command has so long to end by itself. */
const STOP_MS_MAX = 2500;

const stopping = new AbortController();

function stop(reason: string, exitCode: number): void {
  if (stopping.signal.aborted) process.exit(exitCode);
  stopping.abort(reason);
  setTimeout(() => process.exit(exitCode), STOP_MS_MAX).unref();
}

process.on('SIGINT', () => stop('SIGINT', 130));
process.on('SIGTERM', () => stop('SIGTERM', 143));
const hangups = new Set<() => void>();
process.on('SIGHUP', () => {
  for (const listener of hangups) listener();
  if (hangups.size === 0) stop('SIGHUP', 129);
});
process.on('uncaughtException', (error) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = EXIT.failed;
  stop('internal error', EXIT.failed);
});

const stdout = terminalOf(process.stdout, () => stop('output closed', EXIT.ok));
const stderr = terminalOf(process.stderr, () => {});
const code = await run(process.argv.slice(2), {
  stdout,
  stderr,
  signal: stopping.signal,
  env: process.env,
  folder: process.cwd(),
  onHangup: (listener) => {
    hangups.add(listener);
    return () => hangups.delete(listener);
  },
});
process.exit(process.exitCode ?? code);
