import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Where screenshots go. */
export const ARTEFACTS = fileURLToPath(new URL('../artefacts/', import.meta.url));

export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The machine's own Chromium. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath(), headless: true, args: CHROMIUM_ARGS });
}

export function chromiumPath(): string {
  const named = process.env.DEPTHWIRE_CHROMIUM;
  const onPath = (process.env.PATH ?? '').split(delimiter);
  const candidates = [
    ...(named === undefined ? [] : [named]),
    '/usr/bin/chromium',
    ...['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
      onPath.map((folder) => join(folder, name)),
    ),
  ];
  const found = candidates.find(isExecutable);
  if (found === undefined) {
    throw new Error(
      'no Chromium was found; install it with `apt-get install chromium`, or name one in DEPTHWIRE_CHROMIUM',
    );
  }
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A server of the embedded venue on a free port. */
export async function startServer(
  args: readonly string[] = [],
): Promise<{ readonly process: ChildProcess; readonly url: string }> {
  const server = spawn(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'serve', '--port', '0', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const address = /http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):\d+\//.exec(output);
      if (address !== null) resolve(address[0]);
    };
    server.stdout.on('data', read);
    server.stderr.on('data', read);
    server.once('error', reject);
    server.once('exit', (code) =>
      reject(new Error(`the server ended with ${code} before it served:\n${output}`)),
    );
  });
  return { process: server, url };
}

export async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await gone;
}

export interface Opened {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Console errors, warnings and uncaught exceptions so far. */
  readonly complaints: string[];
  readonly origins: Set<string>;
}

export interface Screen {
  readonly width: number;
  readonly height: number;
}

/** A new window with a page whose book is synced. `before` runs in the page before its own script. */
export async function openPage(
  browser: Browser,
  url: string,
  viewport: Screen,
  colorScheme: 'dark' | 'light',
  before?: () => void,
): Promise<Opened> {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on('console', (message) => {
    // A browser without a GPU says of any WebGL that it waits for it.
    if (message.text().includes('GL Driver Message')) return;
    if (['error', 'warning', 'assert'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  page.on('websocket', (socket) => origins.add(new URL(socket.url()).origin.replace(/^ws/, 'http')));
  if (before !== undefined) await page.addInitScript(before);
  await page.goto(url);
  await page.waitForSelector('.book-state[data-state="synced"]', { timeout: 20_000 });
  await page.waitForSelector('.rung[data-side="bid"]');
  return { page, context, complaints, origins };
}
