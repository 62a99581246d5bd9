import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { loadSite } from '../publish/site.js';
import { VERSION } from '../version.js';
import { configOf, withConfigOptions } from './config-options.js';
import { proxyHint } from './proxy-hint.js';
import { reloadOnHangup } from './reload.js';
import { type Serving, startServing } from './serve.js';
import type { Shell } from './shell.js';
import { sourceLine } from './source-words.js';

/** Where the built page lies, from `src/cli` and from `dist/cli` alike. */
const PAGE_FOLDER = fileURLToPath(new URL('../../dist/web/', import.meta.url));

const SYNC_POLL_MS = 50;

/** What the end may take beside the time that its clients are given: connections to venues, files, the port. */
const CLOSE_MS_MAX = 2000;

/** `depthwire serve`. */
export function addServeCommand(program: Command, shell: Shell): void {
  const command = program
    .command('serve')
    .description(
      'serve live sources, recordings or the embedded venue: the feed, the HTTP interface, the page',
    );
  withConfigOptions(command).action((sources: readonly string[]) => serve(sources, command, shell));
}

async function serve(sources: readonly string[], command: Command, shell: Shell): Promise<void> {
  const { stdout, stderr, signal, env, endWithin } = shell;
  const layered = configOf(sources, command, shell);
  const site = loadSite(PAGE_FOLDER);
  const warn = (line: string): void => void stderr.write(`${line}\n`);
  const hint = proxyHint(layered.config.sources, env);
  if (hint !== undefined) warn(hint);
  const { unreadyMs, drainMs } = layered.config.server;
  endWithin(unreadyMs + drainMs + CLOSE_MS_MAX);
  const serving = await startServing(layered.config, site, warn, env);
  await stdout.write(greeting(serving, layered.path, site.size > 0));
  // Without a configuration that may change, a hangup is the end of the terminal.
  const canChange = layered.path !== undefined || Object.keys(layered.config.sources).length > 0;
  const endReloads = canChange
    ? reloadOnHangup(command, sources, serving.running, shell, serving.takeOver)
    : undefined;
  let ended = false;
  serving.source.ended.then(
    () => {
      if (!ended) void stdout.write('replay   finished; the last books stay served\n');
    },
    () => {},
  );
  void whenSynced(serving, signal).then((books) =>
    ended
      ? undefined
      : stdout.write(`${[`books    ${books}`, ...serving.server.reports().map(sourceLine)].join('\n')}\n`),
  );
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  ended = true;
  endReloads?.();
  await stdout.write(`stopping (${String(signal.reason)}); once more ends at once\n`);
  await serving.stop(`server stops (${String(signal.reason)})`);
}

function greeting({ url, name }: Serving, file: string | undefined, hasPage: boolean): string {
  return [
    `depthwire ${VERSION} serves: ${name}`,
    ...(file === undefined ? [] : [`config   ${file}`]),
    hasPage
      ? `page     ${url}`
      : `page     not built (npm run build); the HTTP interface is at ${url}v1/instruments`,
    `feed     ${url.replace('http', 'ws')}v1/feed  (subprotocol depthwire.v1)`,
    `health   ${url}health`,
    'stop     Ctrl-C',
    '',
  ].join('\n');
}

/** Resolves with the state of the books once all are synced, or after five seconds as they are then. */
async function whenSynced({ server }: Serving, signal: AbortSignal): Promise<string> {
  const untilMs = performance.now() + 5000;
  for (;;) {
    const { synced, syncing, stale } = server.books();
    const waiting = syncing + stale;
    if (waiting === 0) return `${synced} synced`;
    if (performance.now() > untilMs || signal.aborted)
      return `${synced} synced, ${syncing} syncing, ${stale} stale`;
    await new Promise((resolve) => setTimeout(resolve, SYNC_POLL_MS));
  }
}
