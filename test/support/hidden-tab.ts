import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { CHROMIUM_ARGS, chromiumPath } from './page.js';

const REMOVALS = 50;

/** A tab that can go behind another one, as a reader's does. */
export interface Tab {
  /** What an expression is worth in the page, as JSON has it. */
  evaluate(expression: string): Promise<unknown>;
  /** Used heap after a collection, MB. */
  heapMb(): Promise<number>;
  /** Another tab comes before it: nothing is drawn, and timers are held back. `frozen`: no script runs at all. */
  hide(frozen: boolean): Promise<void>;
  show(): Promise<void>;
  close(): Promise<void>;
}

interface Answer {
  readonly id?: number;
  readonly error?: { readonly message: string };
  // biome-ignore lint/suspicious/noExplicitAny: what a method of the browser's protocol answers
  readonly result?: any;
}

/** The browser's own processes end behind it, and write to its folder until they do. */
async function remove(folder: string): Promise<void> {
  for (let left = REMOVALS; ; left -= 1) {
    try {
      rmSync(folder, { recursive: true, force: true });
      return;
    } catch (error) {
      if (left === 0) throw error;
      await setTimeout(100);
    }
  }
}

/**
 * A browser of its own, by its own protocol: a page that playwright holds is shown always, for it emulates the focus of each.
 */
export async function openTab(address: string): Promise<Tab> {
  const folder = mkdtempSync(join(tmpdir(), 'depthwire-tab-'));
  const browser = spawn(
    chromiumPath(),
    [
      '--headless=new',
      ...CHROMIUM_ARGS,
      '--window-size=1280,720',
      '--remote-debugging-port=0',
      `--user-data-dir=${folder}`,
      address,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let text = '';
  const endpoint = await new Promise<string>((resolve, reject) => {
    browser.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /ws:\/\/\S+/.exec(text);
      if (found !== null) resolve(found[0]);
    });
    browser.once('exit', (code) => reject(new Error(`the browser ended with ${code}:\n${text}`)));
  });
  const socket = new WebSocket(endpoint);
  await once(socket, 'open');
  const waiting = new Map<number, (answer: Answer) => void>();
  socket.on('message', (data) => {
    const answer = JSON.parse(String(data)) as Answer;
    waiting.get(answer.id ?? 0)?.(answer);
  });
  let lastId = 0;
  const ask = async (method: string, params: object = {}, sessionId?: string): Promise<Answer['result']> => {
    lastId += 1;
    const id = lastId;
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    const { error, result } = await answered;
    waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  };
  const { targetInfos } = (await ask('Target.getTargets')) as {
    targetInfos: readonly { readonly type: string; readonly targetId: string }[];
  };
  const targetId = targetInfos.find(({ type }) => type === 'page')?.targetId;
  const { sessionId } = await ask('Target.attachToTarget', { targetId, flatten: true });
  return {
    async evaluate(expression) {
      const answer = await ask('Runtime.evaluate', { expression, returnByValue: true }, sessionId);
      return answer.result.value as unknown;
    },
    async heapMb() {
      await ask('HeapProfiler.collectGarbage', {}, sessionId);
      return ((await ask('Runtime.getHeapUsage', {}, sessionId)) as { usedSize: number }).usedSize / 1e6;
    },
    async hide(frozen) {
      const other = await ask('Target.createTarget', { url: 'about:blank' });
      await ask('Target.activateTarget', { targetId: other.targetId });
      if (frozen) await ask('Page.setWebLifecycleState', { state: 'frozen' }, sessionId);
    },
    async show() {
      await ask('Page.setWebLifecycleState', { state: 'active' }, sessionId);
      await ask('Target.activateTarget', { targetId });
    },
    async close() {
      socket.close();
      const gone = once(browser, 'exit');
      browser.kill('SIGTERM');
      await gone;
      await remove(folder);
    },
  };
}
