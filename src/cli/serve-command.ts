import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { exposureOf } from '../config/exposure.js';
import type { Config } from '../config.js';
import { loadSite } from '../publish/site.js';
import { VERSION } from '../version.js';
import { configOf, withConfigOptions } from './config-options.js';
import { openLog } from './open-log.js';
import { proxyHint } from './proxy-hint.js';
import { reloadOnHangup } from './reload.js';
import { type Serving, startServing } from './serve.js';
import type { Shell } from './shell.js';
import { sourceLine } from './source-words.js';

/** Where the built page lies, from `src/cli` and from `dist/cli` alike. */
export const PAGE_FOLDER = fileURLToPath(new URL('../../dist/web/', import.meta.url));

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
  const { signal, env, endWithin } = shell;
  const layered = configOf(sources, command, shell);
  const { unreadyMs, drainMs } = layered.config.server;
  endWithin(unreadyMs + drainMs + CLOSE_MS_MAX);
  const { log, flush } = await openLog(layered.config.log, shell);
  const site = loadSite(PAGE_FOLDER);
  const hint = proxyHint(layered.config.sources, env);
  if (hint !== undefined) log.warn(hint);
  const serving = await startServing(layered.config, site, log, env);
  const { url, name, port } = serving;
  const text = greeting(serving, layered.path, site.size > 0);
  log.say('info', 'serving', text, { name, url, port, version: VERSION, config: layered.path });
  // Without a configuration that may change, a hangup is the end of the terminal.
  const { sources: live, auth } = layered.config;
  const canChange = layered.path !== undefined || auth !== undefined || Object.keys(live).length > 0;
  const endReloads = canChange
    ? reloadOnHangup(command, sources, serving.running, { ...shell, log }, serving.takeOver)
    : undefined;
  let ended = false;
  serving.source.ended.then(
    () => {
      if (!ended) log.say('info', 'replay.finished', 'replay   finished; the last books stay served');
    },
    () => {},
  );
  void whenSynced(serving, signal).then((books) => {
    if (ended) return;
    const lines = [`books    ${books}`, ...serving.server.reports().map(sourceLine)];
    log.say('info', 'books', lines.join('\n'), { ...serving.server.books() });
  });
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  ended = true;
  endReloads?.();
  const reason = String(signal.reason);
  log.say('info', 'stopping', `stopping (${reason}); once more ends at once`, { reason });
  await serving.stop(`server stops (${reason})`);
  log.say('debug', 'stopped', 'stopped');
  await flush();
}

function greeting(
  { url, name, running, server }: Serving,
  file: string | undefined,
  hasPage: boolean,
): string {
  return [
    `depthwire ${VERSION} serves: ${name}`,
    ...(file === undefined ? [] : [`config   ${file}`]),
    hasPage
      ? `page     ${url}`
      : `page     not built (npm run build); the HTTP interface is at ${url}v1/instruments`,
    `feed     ${url.replace('http', 'ws')}v1/feed  (subprotocol depthwire.v1)`,
    `health   ${url}health`,
    ...gatewaysOf(server),
    ...opennessOf(running()),
    'stop     Ctrl-C',
  ].join('\n');
}

/** Which processes serve the clients, where this one does not. */
function gatewaysOf({ gateways }: Serving['server']): readonly string[] {
  if (gateways === undefined) return [];
  return [`gateways ${gateways.running}, processes ${gateways.pids.join(', ')}`];
}

/** Who is let in, where that is not this machine's users alone. */
function opennessOf(config: Config): readonly string[] {
  const { auth } = config;
  const exposure = exposureOf(config);
  return [
    ...(auth === undefined
      ? []
      : [
          `auth     tokens of ${auth.issuer} for ${auth.audience}; docs/security.md says what is open without one`,
        ]),
    ...(exposure === undefined ? [] : [`exposed  ${exposure}`]),
  ];
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
