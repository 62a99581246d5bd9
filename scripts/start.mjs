// @ts-check
/**
 * `npm start [-- ARGUMENTS]`: installs and builds what is not current, then is `depthwire serve ARGUMENTS`.
 *
 * The server runs in this process: its signals and its exit code need no forwarding, and Ctrl-C, which a
 * terminal sends to every process in the foreground, reaches it once.
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare } from './build.mjs';
import { endWithParent, endWithSignals } from './run.mjs';
import { root } from './sources.mjs';

if (process.env.npm_lifecycle_event === 'start') endWithParent();
const giveSignalsBack = endWithSignals();
if (await prepare()) {
  giveSignalsBack();
  const main = path.join(root, 'dist', 'cli', 'main.js');
  process.argv = [process.execPath, main, 'serve', ...process.argv.slice(2)];
  await import(pathToFileURL(main).href);
} else {
  process.exitCode = 1;
}
