import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launch, openPage, startServer, stopServer } from './support/page.js';
import { simulatedRecording } from './support/recording.js';

const CONTROLS = 'button, select, input, summary, a[href], [tabindex="0"]';
/** What a reader is told by name, whether it takes the focus or not. */
const NAMED_ROLES = [
  'button',
  'combobox',
  'textbox',
  'slider',
  'checkbox',
  'listbox',
  'grid',
  'table',
].concat(['application', 'log', 'dialog', 'region', 'navigation', 'main', 'DisclosureTriangle']);

/** What has no name in the tree that the browser gives to screen readers. */
async function unnamed(page: Page): Promise<readonly string[]> {
  const devtools = await page.context().newCDPSession(page);
  const { nodes } = await devtools.send('Accessibility.getFullAXTree');
  return nodes
    .filter(({ ignored }) => !ignored)
    .filter(({ role, properties }) => {
      const isFocusable = properties?.some(({ name, value }) => name === 'focusable' && value.value === true);
      const kind = String(role?.value);
      return NAMED_ROLES.includes(kind) || (isFocusable === true && kind !== 'RootWebArea');
    })
    .filter(({ name }) => String(name?.value ?? '').trim() === '')
    .map(({ role, nodeId }) => `${role?.value} ${nodeId}`);
}

/** Goes through the page by Tab: the controls that it did not come to, and those whose focus is not seen. */
async function walk(
  page: Page,
): Promise<{ readonly missed: readonly string[]; readonly unseen: readonly string[] }> {
  await page.evaluate((controls) => {
    const shown = [...document.querySelectorAll<HTMLElement>(controls)].filter(
      (one) => one.checkVisibility({ visibilityProperty: true }) && !(one as HTMLButtonElement).disabled,
    );
    for (const [at, one] of shown.entries()) one.dataset.control = String(at);
    (document.activeElement as HTMLElement | null)?.blur();
  }, CONTROLS);
  const count = await page.locator('[data-control]').count();
  const unseen: string[] = [];
  for (let turn = 0; turn < 2 * count; turn += 1) {
    await page.keyboard.press('Tab');
    const fault = await page.evaluate(() => {
      const one = document.activeElement as HTMLElement | null;
      if (one === null || one === document.body) return '';
      delete one.dataset.control;
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      const box = one.getBoundingClientRect();
      const isSeen = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2;
      const isInView = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
      return isSeen && isInView ? '' : `${one.tagName} ${one.className} ${one.ariaLabel}`;
    });
    if (fault !== '') unseen.push(fault);
  }
  const missed = await page.$$eval('[data-control]', (rest) =>
    rest.map((one) => `${one.tagName} ${one.className} ${one.ariaLabel}`),
  );
  return { missed, unseen };
}

describe('the page by keyboard and by a screen reader', () => {
  const folder = mkdtempSync(join(tmpdir(), 'depthwire-page-accessible-'));
  const servers: ChildProcess[] = [];
  let browser: Browser;
  let live: string;
  let replay: string;

  beforeAll(async () => {
    const file = join(folder, 'recording');
    writeFileSync(file, simulatedRecording('BTCUSDT', 20_000));
    for (const args of [[], ['--replay', file, '--instrument', 'sim:BTCUSDT']]) {
      const server = await startServer(args);
      servers.push(server.process);
      if (args.length === 0) live = server.url;
      else replay = server.url;
    }
    browser = await launch();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    for (const server of servers) await stopServer(server);
    rmSync(folder, { recursive: true });
  }, 30_000);

  const everything =
    'sim:BTCUSDT&beside=sim:ETHUSDT&orders=1&signals=1&heat=1&alerts=above~1~sim:BTCUSDT&size=1';

  it.each([
    ['with all of its parts', () => `${live}#${everything}`, { width: 1440, height: 900 }],
    ['of a replay', () => `${replay}#sim:BTCUSDT`, { width: 1280, height: 720 }],
    ['on a phone', () => `${live}#${everything}`, { width: 390, height: 844 }],
  ])(
    '%s comes to each control by Tab, shows where it is, and names all',
    async (_, url, viewport) => {
      const { page, context, complaints } = await openPage(browser, url(), viewport, 'dark');
      await page.waitForSelector('.heat-canvas[data-end]');
      expect(await unnamed(page)).toEqual([]);
      expect(await walk(page)).toEqual({ missed: [], unseen: [] });
      expect(complaints).toEqual([]);
      await context.close();
    },
    60_000,
  );

  it('holds the focus in the help, which Escape closes', async () => {
    const { page, context } = await openPage(browser, live, { width: 1280, height: 720 }, 'light');
    await page.focus('#ladder');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    expect(await unnamed(page)).toEqual([]);
    for (let turn = 0; turn < 3; turn += 1) {
      await page.keyboard.press('Tab');
      const isOutside = await page.evaluate(
        () => document.activeElement !== document.body && document.activeElement?.closest('dialog') === null,
      );
      expect(isOutside).toBe(false);
    }
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'detached' });
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('ladder');
    await context.close();
  }, 60_000);
});
