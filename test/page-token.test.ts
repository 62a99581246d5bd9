import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mint } from '../src/publish/auth/mint.js';
import { ARTEFACTS, launch, startServer, stopServer } from './support/page.js';
import { issuer, jwksOf } from './support/tokens.js';

const KEY = issuer('a');
const DESKTOP = { width: 1280, height: 800 };

/** A token as an issuer makes it. */
function token(lifetimeSeconds: number, more: object = { operations: true }): string {
  return mint(KEY, {
    issuer: 'depthwire',
    audience: 'depthwire',
    subject: 'alice',
    issuedAt: Math.floor(Date.now() / 1000),
    lifetimeSeconds,
    entitlements: { allow: [{ channels: ['*'], instruments: ['*'] }], ...more },
  });
}

describe('the page of a server that asks for tokens', () => {
  const folder = mkdtempSync(join(tmpdir(), 'depthwire-page-'));
  let browser: Browser;
  let server: { readonly process: ChildProcess; readonly url: string };

  beforeAll(async () => {
    mkdirSync(ARTEFACTS, { recursive: true });
    const jwksFile = join(folder, 'jwks.json');
    const config = join(folder, 'depthwire.toml');
    writeFileSync(jwksFile, jwksOf(KEY));
    writeFileSync(config, `[auth]\njwks_file = ${JSON.stringify(jwksFile)}\nleeway_seconds = 0\n`);
    server = await startServer(['--config', config]);
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    if (server !== undefined) await stopServer(server.process);
    rmSync(folder, { recursive: true });
  }, 30_000);

  /** The addresses that the page has asked for, and what it complained of. */
  async function open(hash = '') {
    const context = await browser.newContext({
      viewport: DESKTOP,
      colorScheme: 'dark',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    const asked: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('websocket', (socket) => asked.push(socket.url()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      // A browser without a GPU says of any WebGL that it waits for it.
      if (message.text().includes('GL Driver Message')) return;
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    await page.goto(server.url + hash);
    return { page, context, asked, complaints };
  }

  const synced = (page: Page) =>
    page.waitForSelector('.book-state[data-state="synced"]', { timeout: 20_000 });
  const why = (page: Page) => page.textContent('#token-why');

  it('asks for one in a dialog, by keyboard alone, and says why it does not take one', async () => {
    const { page, context, asked, complaints } = await open();
    await page.waitForSelector('dialog[open] #token-why');
    expect(await why(page)).toBe('This server wants to know who you are.');
    const dialog = page.getByRole('dialog', { name: 'Token' });
    expect(
      await dialog.getByLabel('Paste a token').evaluate((field) => field === document.activeElement),
    ).toBe(true);
    await page.screenshot({ path: join(ARTEFACTS, 'page-token.png') });

    await page.keyboard.insertText('no.such.token');
    await page.keyboard.press('Enter');
    await expect.poll(() => why(page)).toMatch(/^Refused: the token is no signed JWT\.$/);
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog:not([open])', { state: 'attached' });
    expect(await page.textContent('.notice')).toMatch(/^Refused/);
    await page.getByRole('button', { name: 'Token' }).press('Enter');
    await page.waitForSelector('dialog[open] input:focus');
    const good = token(600);
    await page.keyboard.insertText(`Bearer ${good} `);
    await page.keyboard.press('Enter');
    await synced(page);
    await page.locator('[data-source="embedded venue"]').waitFor();
    expect(await page.isVisible('dialog[open]')).toBe(false);
    // A socket is opened with a token that the server has taken, or not at all.
    expect(asked.filter((url) => url.startsWith('ws'))).toHaveLength(1);
    expect(asked.filter((url) => url.includes(good))).toEqual([]);
    expect(
      complaints.every((text) => /status of 401/.test(text)),
      complaints.join('\n'),
    ).toBe(true);
    expect(complaints).toHaveLength(2);

    await page.reload();
    await synced(page);
    expect(page.url()).not.toContain(good);
    // Another tab has none of it.
    const other = await context.newPage();
    await other.goto(server.url);
    await other.waitForSelector('dialog[open] #token-why');
    await context.close();
  }, 60_000);

  it('takes one from behind the # of its address, and leaves it there no longer than that', async () => {
    const good = token(600, {});
    const { page, context, asked, complaints } = await open(`#sim:ETHUSDT&token=${good}`);
    await synced(page);
    expect(await page.textContent('#ladder-title')).toContain('ETHUSDT');
    expect(page.url()).toBe(`${server.url}#sim:ETHUSDT`);
    expect(asked.filter((url) => url.includes(good))).toEqual([]);
    // It does not hold what concerns all clients, which is asked for once.
    const lists = () => asked.filter((url) => url.endsWith('/v1/instruments')).length;
    await expect.poll(lists, { timeout: 10_000 }).toBeGreaterThan(2);
    expect(asked.filter((url) => url.endsWith('/v1/sources'))).toHaveLength(1);
    expect(complaints.filter((text) => !/status of 403/.test(text))).toEqual([]);
    await page.getByRole('button', { name: 'Token' }).click();
    await page.getByRole('button', { name: 'Forget it' }).click();
    await expect.poll(() => why(page)).toBe('This server wants to know who you are.');
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    await context.close();
  }, 60_000);

  it('asks for another one when it has expired, and goes on with that', async () => {
    const short = token(3);
    const { page, context } = await open(`#token=${short}`);
    await synced(page);
    await page.waitForSelector('dialog[open] #token-why', { timeout: 20_000 });
    await expect.poll(() => why(page)).toMatch(/expired/);
    expect(await page.getAttribute('.ladder', 'data-dim')).not.toBeNull();
    expect(await page.textContent('.notice')).toMatch(/^The token has expired\. .*last known book\.$/);
    await page.screenshot({ path: join(ARTEFACTS, 'page-token-expired.png') });
    await page.getByLabel('Paste a token').fill(short);
    await page.keyboard.press('Enter');
    await expect.poll(() => why(page)).toMatch(/^This is the same one\. /);
    await page.getByLabel('Paste a token').fill(token(600));
    await page.keyboard.press('Enter');
    await synced(page);
    await page.waitForSelector('.connection[data-state="open"]');
    await context.close();
  }, 60_000);
});
