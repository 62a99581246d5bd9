import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { frameOf, handshakeOf, OPCODE, RawClient } from './support/raw-websocket.js';

const SCRIPT = join(fileURLToPath(new URL('.', import.meta.url)), 'support', 'few-descriptors.mjs');
const DESCRIPTORS = 256;

const children: ChildProcess[] = [];
const sockets: { destroy(): unknown }[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

type Reply = Readonly<Record<string, unknown>>;

/** A server with so few descriptors, and a way to tell it a word and read its answer. */
async function start(name: string): Promise<{ hello: Reply; ask: (word: string) => Promise<Reply> }> {
  // Node raises the soft limit to the hard one, so both are set.
  const child = spawn(
    'sh',
    ['-c', `ulimit -n ${DESCRIPTORS}; exec "$0" "$@"`, process.execPath, SCRIPT, name],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async (): Promise<Reply> => JSON.parse((await lines.next()).value as string) as Reply;
  return {
    hello: await read(),
    ask: (word) => {
      child.stdin.write(`${word}\n`);
      return read();
    },
  };
}

async function attempt(port: number): Promise<RawClient> {
  const client = new RawClient(port);
  sockets.push(client);
  client.send(handshakeOf());
  await client.until(() => client.head !== '' || client.hasEnded, 'answer or cut');
  return client;
}

async function expectEcho(client: RawClient, text: string): Promise<void> {
  client.send(frameOf(OPCODE.text, text));
  await client.until(() => client.texts.includes(text), 'echo');
}

/** Whether the process rests: a loop that spins takes all of a second. */
async function expectRest(ask: (word: string) => Promise<Reply>): Promise<Reply> {
  const before = await ask('cpu');
  await pause(1000);
  const after = await ask('cpu');
  expect(Number(after.us) - Number(before.us)).toBeLessThan(500_000);
  return after;
}

describe.each(['uws', 'ws'] as const)('near the limit of descriptors over %s', (name) => {
  it('clients are refused with the reason, and those that are there go on', async () => {
    const { hello, ask } = await start(name);
    const port = Number(hello.port);
    const max = Number(hello.connectionsMax);
    expect(max).toBeGreaterThan(100);
    expect(max).toBeLessThan(DESCRIPTORS - 64);
    const clients: RawClient[] = [];
    while (clients.length < max + 50) clients.push(await attempt(port));
    const held = clients.filter(({ head }) => head.startsWith('HTTP/1.1 101'));
    const refused = clients.filter(({ head }) => head.startsWith('HTTP/1.1 503'));
    expect(held.length + refused.length).toBe(clients.length);
    expect(held.length).toBeGreaterThan(max / 2);
    await refused[0]?.until(() => refused[0]?.hasEnded === true, 'end');
    expect(JSON.parse(refused[0]?.body ?? '')).toMatchObject({ error: { code: 'feed.descriptors_full' } });
    // Silent connections take what is left, in turn.
    const silent: Socket[] = [];
    for (let at = 0; at < 200; at++) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      sockets.push(socket);
      silent.push(socket);
      if (at % 20 === 0) await pause(5);
    }
    for (const client of held) await expectEcho(client, 'still here');
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    const after = await expectRest(ask);
    expect(after.refused).toMatchObject({ descriptors: expect.any(Number) as unknown as number });
    expect(silent.filter(({ destroyed }) => destroyed).length).toBeGreaterThan(0);
    held.pop()?.destroy();
    await pause(50);
    expect((await attempt(port)).head).toMatch(/^HTTP\/1\.1 101/);
  });

  it('newcomers are cut when others have taken the descriptors, until there are some again', async () => {
    const { hello, ask } = await start(name);
    const port = Number(hello.port);
    const good = await attempt(port);
    expect(await ask('eat')).toMatchObject({ code: 'EMFILE' });
    // Looked at once a second.
    await pause(1200);
    for (let at = 0; at < 20; at++) expect((await attempt(port)).hasEnded).toBe(true);
    await expectEcho(good, 'still here');
    await expectRest(ask);
    await ask('spit');
    await pause(1200);
    await expectEcho(await attempt(port), 'welcome');
    await expectEcho(good, 'and still');
  });
});
