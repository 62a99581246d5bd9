import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type Serving, startServing } from '../src/cli/serve.js';
import type { Terminal } from '../src/cli/terminal.js';
import { type WatchOptions, watch } from '../src/cli/watch.js';
import { configFrom } from '../src/config.js';
import { channel, connect, decimalText, type ServerError } from '../src/wire/index.js';

const NAME = 'sim:BTCUSDT';
let serving: Serving;
/** Power of ten of a quantity of the instrument. */
let exponent: number;

beforeAll(async () => {
  serving = await startServing(configFrom({ server: { port: 0, drainMs: 100 } }), new Map(), () => {});
  exponent = serving.engine.instruments().find(({ name }) => name === NAME)?.qtyExponent ?? 0;
});
afterAll(() => serving.stop('test is over'));

interface Asked {
  readonly quantities?: readonly string[];
  readonly bps?: readonly number[];
}

const QTY_MAX = 2n ** 63n - 1n;
const text = (mantissa: bigint): string => decimalText(mantissa, exponent);

/** What cannot be held, and what an error says of it. */
const WRONG: readonly (readonly [string, () => Asked, RegExp, (asked: Asked) => string])[] = [
  ['a quantity beyond 63 bits', () => ({ quantities: ['1', text(QTY_MAX + 1n)] }), /at most/, ofLast],
  ['one of many digits', () => ({ quantities: ['9'.repeat(18)] }), /at most/, ofLast],
  [
    'one that is finer than quantities are',
    () => ({ quantities: ['0.0000000000001'] }),
    /a multiple of/,
    ofLast,
  ],
  ['a band beyond the mid', () => ({ bps: [10_001] }), /1 to 10000/, JSON.stringify],
  ['a band that is no integer', () => ({ bps: [1.5] }), /1 to 10000/, JSON.stringify],
  ['more than sixteen', () => ({ bps: Array<number>(17).fill(5) }), /1 to 16 in all/, () => ''],
];

function ofLast({ quantities = [] }: Asked): string {
  return quantities.at(-1) ?? '';
}

/** The parts that every error has. */
const whole = (expected: RegExp, got: string): object => ({
  code: 'feed.bad_field',
  what: expect.stringMatching(/./) as string,
  where: 'subscribe.quantities',
  expected: expect.stringMatching(expected) as string,
  got: expect.stringContaining(got.slice(1, -1)) as string,
  fix: expect.stringMatching(/./) as string,
});

/** What a server answers to one message. */
async function answer(message: object): Promise<unknown> {
  const socket = new WebSocket(`ws://127.0.0.1:${serving.port}/v1/feed`, 'depthwire.v1');
  try {
    return await new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('open', () => socket.send(JSON.stringify(message)));
      socket.on('message', (data: Buffer, isBinary) => {
        if (isBinary) return;
        const said = JSON.parse(data.toString()) as { readonly op: string };
        if (said.op === 'error' || said.op === 'subscribed') resolve(said);
      });
    });
  } finally {
    socket.terminate();
  }
}

const WATCH: WatchOptions = {
  url: '',
  instruments: [NAME],
  channel: 'costs',
  output: 'ndjson',
  tokenFile: undefined,
  depth: 5,
  grouping: undefined,
  countMax: 1,
  timeoutMs: 5_000,
  signal: new AbortController().signal,
};

const nowhere = { write: () => Promise.resolve() } as unknown as Terminal;

describe.each(WRONG)('%s', (_, make, expected, got) => {
  it('is refused by the server, with all parts of an error', async () => {
    const asked = make();
    const said = await answer({ op: 'subscribe', id: 1, channel: 'costs', instrument: NAME, ...asked });
    expect(said).toMatchObject({ op: 'error', id: 1, ...whole(expected, got(asked)) });
  });

  it('ends the subscription of a client by that error', async () => {
    const asked = make();
    const feed = connect(`ws://127.0.0.1:${serving.port}`);
    try {
      const costs = feed.subscribe(channel.costs, NAME, asked);
      const error = await new Promise<ServerError>((resolve) =>
        costs.on('error', (error) => resolve(error as ServerError)),
      );
      expect(error).toMatchObject(whole(expected, got(asked)));
      expect(costs).toMatchObject({ closed: true, error, costs: undefined });
    } finally {
      await feed.close();
    }
  });

  it('ends watch by it', async () => {
    const asked = make();
    const watched = watch({ ...WATCH, ...asked, url: serving.url }, { stdout: nowhere, stderr: nowhere });
    await expect(watched).rejects.toMatchObject(whole(expected, got(asked)));
  });
});

it('the greatest quantity that a book holds is taken as it is', async () => {
  const quantities = [text(QTY_MAX), text(1n)];
  const said = await answer({ op: 'subscribe', channel: 'costs', instrument: NAME, quantities });
  expect(said).toMatchObject({ op: 'subscribed', quantities });
  const lines: string[] = [];
  const stdout = { write: (line: string) => Promise.resolve(lines.push(line)) } as unknown as Terminal;
  await watch({ ...WATCH, url: serving.url, quantities }, { stdout, stderr: nowhere });
  const { costs } = JSON.parse(lines[0] ?? '') as {
    readonly costs: readonly { readonly qty: string; readonly isComplete: boolean }[];
  };
  expect(costs.map(({ qty, isComplete }) => [qty, isComplete])).toEqual([
    [quantities[0], false],
    [quantities[0], false],
    [quantities[1], true],
    [quantities[1], true],
  ]);
});
