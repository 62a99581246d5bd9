import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keysOf } from '../src/cli/keyboard.js';
import { type LadderLevel, type LadderView, ladderLines } from '../src/cli/ladder-text.js';
import {
  bookLines,
  durationText,
  MarketColumns,
  type MarketView,
  marketLines,
} from '../src/cli/market-text.js';
import { panelsIn, type ScreenView, screenLines } from '../src/cli/screen-text.js';
import { type TapeRow, tapeLines } from '../src/cli/tape-text.js';
import { fitted, type Line, lineWidth, painted, textWidth, whole, words } from '../src/cli/text-line.js';
import { actionOf, KEY_HELP } from '../src/cli/watch-keys.js';

const level = (price: string, share: number, rest: Partial<LadderLevel> = {}): LadderLevel => ({
  price,
  qty: '1.5',
  total: '3.0',
  share,
  beyondKnown: false,
  ...rest,
});

const ladder: LadderView = {
  bids: [level('99.0', 1), level('98.5', 0.5)],
  asks: [level('100.0', 0)],
  spread: { text: '1.0', bp: 100.5 },
  distrust: undefined,
};

const market: MarketView = {
  ...ladder,
  instrument: 'sim:A',
  state: 'synced',
  doubts: [],
  replayMs: undefined,
  seq: '7',
  ageMs: 12.3,
  latency: { p50Ms: 0.254, errorMs: 0.05 },
  gaps: 0,
  resyncs: 2,
  grouping: undefined,
  trades: [
    { tag: 'trade', tsMs: 1.5e12 + 7, aggressor: 'buy', price: '100.0', qty: '0.25' },
    { tag: 'missing' },
    { tag: 'trade', tsMs: undefined, aggressor: 'sell', price: '99.0', qty: '12' },
  ],
  tradesNotice: '',
};

const stale: MarketView = { ...market, state: 'STALE (gap)', distrust: 'STALE (gap)' };

const plain = (lines: readonly Line[]): readonly string[] =>
  lines.map((line) => painted(line, false).trimEnd());

describe('a ladder', () => {
  it('has asks above bids, the best ones in the middle, headings, totals, and a constant height', () => {
    expect(plain(ladderLines(ladder, 2, 60))).toEqual([
      ' price  quantity  total',
      '',
      ' 100.0       1.5    3.0  ▏',
      ' ── spread 1.0  101 bp ─────────────────',
      '  99.0       1.5    3.0  ████████████████████████',
      '  98.5       1.5    3.0  ████████████',
    ]);
  });

  it('writes point below point where prices have other decimals', () => {
    const mixed = { ...ladder, asks: [level('100.25', 0)], bids: [level('99', 0)] };
    expect(plain(ladderLines(mixed, 1, 10))).toEqual([
      '  price',
      ' 100.25',
      ' ── spread 1.0  101 bp',
      '  99',
    ]);
  });

  it('leaves out the bars, then the totals, then the quantities, then says that something is missing', () => {
    const first = (columns: number): string => plain(ladderLines(ladder, 1, columns))[1] ?? '';
    expect(first(29)).toBe(' 100.0       1.5    3.0  ▏');
    expect(first(28)).toBe(' 100.0       1.5    3.0');
    expect(first(22)).toBe(' 100.0       1.5');
    expect(first(15)).toBe(' 100.0');
    expect(painted(fitted(ladderLines(ladder, 1, 5)[1] as Line, 5), false)).toBe('…');
  });

  it('stands still while numbers come and go', () => {
    const layout = new MarketColumns().ladder;
    const wide = { ...ladder, asks: [level('100000.25', 0)] };
    ladderLines(wide, 1, 60, layout);
    expect(plain(ladderLines(ladder, 1, 60, layout))[1]).toBe('    100.0        1.5    3.0  ▏');
  });

  it('says that the best prices cross, or lock', () => {
    const crossed = { ...ladder, spread: { text: '-0.5', bp: -50 } };
    expect(plain(ladderLines(crossed, 1, 60))[2]).toMatch(/^ ── CROSSED by 0\.5 ─/);
    expect(painted(ladderLines(crossed, 1, 60)[2] as Line, true)).toContain('\x1b[33;1mCROSSED by 0.5');
    const locked = { ...ladder, spread: { text: '0.0', bp: 0 } };
    expect(plain(ladderLines(locked, 1, 60))[2]).toMatch(/^ ── LOCKED: best bid and ask are equal ─/);
  });

  it('marks prices beyond what the venue has made known', () => {
    const doubted = { ...ladder, bids: [level('99.0', 1), level('98.5', 1, { beyondKnown: true })] };
    expect(plain(ladderLines(doubted, 2, 60)).map((line) => line[0])).toEqual([
      ' ',
      undefined,
      ' ',
      ' ',
      ' ',
      '?',
    ]);
  });

  it('is no market when it is stale: no bars, no colours of sides, a mark before each level, the reason in the middle', () => {
    const lines = ladderLines(stale, 2, 60);
    expect(plain(lines).slice(2)).toEqual([
      '~100.0       1.5    3.0',
      ' ── NO MARKET: STALE (gap) ─────────────',
      '~ 99.0       1.5    3.0',
      '~ 98.5       1.5    3.0',
    ]);
    const colours = lines.map((line) => painted(line, true)).join('');
    for (const side of ['\x1b[31m', '\x1b[32m']) expect(colours).not.toContain(side);
    expect(colours).toContain('\x1b[33;1mNO MARKET');
  });
});

describe('a panel', () => {
  const title = (view: MarketView, columns = 79): string =>
    plain(marketLines(view, 1, { columns, rows: 1 }))[0] ?? '';

  it('says first whether its book can be trusted, and what is doubted', () => {
    expect(title(market)).toBe('sim:A  synced');
    expect(title({ ...market, doubts: ['BEYOND KNOWN', 'CROSSED'] })).toBe(
      'sim:A  synced  BEYOND KNOWN  CROSSED',
    );
    expect(title(stale)).toBe('sim:A  STALE (gap)');
    expect(title({ ...stale, instrument: 'deribit:BTC-27MAR26-120000-C' }, 22)).toBe(
      'deribit:…  STALE (gap)',
    );
  });

  it('has a line of health, whose facts are whole or absent', () => {
    const health = (columns: number, view: MarketView = market): string =>
      plain(marketLines(view, 1, { columns, rows: 20 }))[1] ?? '';
    expect(health(79)).toBe('age 12 ms  latency 0.25 ± 0.05 ms  gaps 0  resyncs 2  seq 7');
    expect(health(30)).toBe('age 12 ms  gaps 0  resyncs 2');
    const odd = {
      ...market,
      latency: { p50Ms: 12.3, errorMs: undefined },
      ageMs: undefined,
      grouping: '0.5',
    };
    expect(health(79, odd)).toBe('by 0.5  age –  latency 12 ms  gaps 0  resyncs 2  seq 7');
  });

  it('calls a recording one, with its own time', () => {
    const replayed = { ...market, replayMs: Date.UTC(2024, 2, 8, 14, 30, 1) };
    expect(title(replayed)).toBe('sim:A  synced   REPLAY');
    expect(plain(marketLines(replayed, 1, { columns: 79, rows: 20 }))[1]).toContain(
      'at 2024-03-08T14:30:01Z',
    );
    expect(title({ ...market, replayMs: Number.NaN })).toContain('REPLAY');
  });

  it('has its tape beside the ladder where there is room, else below', () => {
    const beside = plain(marketLines(market, 2, { columns: 79, rows: 20 }));
    expect(beside[2]).toMatch(/price {2}quantity {2}total.* │ time, UTC/);
    expect(beside[3]).toMatch(/│ 02:40:00\.007 {2}buy {3}100\.0 {6}0\.25$/);
    expect(beside[4]).toMatch(/│ -- trades are missing --$/);
    const below = plain(marketLines(market, 2, { columns: 40, rows: 20 }));
    expect(below[8]).toMatch(/^time, UTC/);
    expect(below[9]).toBe('02:40:00.007  buy   100.0      0.25');
    expect(below[11]).toBe('–             sell   99.0     12');
  });

  it('says why there are no trades', () => {
    const rows: readonly TapeRow[] = [];
    expect(plain(tapeLines(rows, 2, 40, 'trades stale (disconnected)'))[1]).toBe(
      'trades stale (disconnected)',
    );
  });

  it('prints alone with all that it has', () => {
    expect(plain(bookLines(market, 1)).slice(0, 3)).toEqual([
      'sim:A  synced',
      'age 12 ms  latency 0.25 ± 0.05 ms  gaps 0  resyncs 2  seq 7',
      ' price  quantity  total',
    ]);
  });

  it('writes times short', () => {
    expect([0.4, 999, 1300, 240_000, 7.3e6].map(durationText)).toEqual([
      '0 ms',
      '999 ms',
      '1.3 s',
      '4 min',
      '2 h',
    ]);
  });
});

const screen = (rest: Partial<ScreenView> = {}): ScreenView => ({
  names: ['sim:A', 'sim:B', 'sim:C'],
  chosen: 0,
  panels: [{ view: market, columns: new MarketColumns() }],
  depth: 3,
  isHelp: false,
  hasKeys: true,
  pausedMs: undefined,
  notice: '',
  ...rest,
});

describe('a screen', () => {
  it('names the instruments with the chosen one in brackets, and the keys', () => {
    const lines = screenLines(screen({ chosen: 1 }), { columns: 79, rows: 24 }, false);
    expect(lines).toHaveLength(24);
    expect(lines[0]).toBe('2/3   sim:A [sim:B] sim:C ');
    expect(lines.at(-1)).toBe('? keys  q quit  p pause  +/- levels (3)  g/G price steps');
  });

  it('keeps the chosen name in sight where not all fit', () => {
    const names = Array.from({ length: 50 }, (_, at) => `deribit:BTC-${at}`);
    const [tabs = ''] = screenLines(screen({ names, chosen: 30 }), { columns: 60, rows: 24 }, false);
    expect(tabs).toContain('[deribit:BTC-30]');
    expect(tabs).toMatch(/^31\/50 {2}….*…$/);
  });

  it('has panels side by side where there is room', () => {
    expect([panelsIn(80, 4), panelsIn(115, 4), panelsIn(300, 4), panelsIn(300, 2), panelsIn(10, 3)]).toEqual([
      1, 2, 4, 2, 1,
    ]);
    const panels = [market, { ...stale, instrument: 'sim:B' }].map((view) => ({
      view,
      columns: new MarketColumns(),
    }));
    const lines = screenLines(screen({ panels }), { columns: 119, rows: 24 }, false);
    expect(lines[1]).toMatch(/^sim:A {2}synced +│ sim:B {2}STALE \(gap\)$/);
  });

  it('shows its keys below the titles, and all of them', () => {
    const lines = screenLines(
      screen({ isHelp: true, panels: [{ view: stale, columns: new MarketColumns() }] }),
      { columns: 79, rows: 24 },
      false,
    );
    expect(lines[1]).toBe('sim:A  STALE (gap)');
    for (const [press, does] of KEY_HELP)
      expect(lines.some((line) => line.includes(press) && line.includes(does))).toBe(true);
  });

  it('says that it stands still, in the smallest terminal too', () => {
    expect(screenLines(screen({ pausedMs: 4200 }), { columns: 79, rows: 24 }, false).at(-1)).toBe(
      ' PAUSED 4.2 s: p goes on ',
    );
    expect(screenLines(screen({ pausedMs: 0 }), { columns: 79, rows: 2 }, false)[1]).toContain('PAUSED');
  });

  it('tells of no keys where nobody can press them', () => {
    expect(screenLines(screen({ hasKeys: false }), { columns: 79, rows: 24 }, false).at(-1)).toBe(
      'Ctrl-C ends',
    );
  });

  it('says that nothing fits, and what was wrong with a key', () => {
    const none = screenLines(
      screen({ names: [], panels: [], notice: 'nothing fits' }),
      { columns: 79, rows: 24 },
      false,
    );
    expect(none[0]).toBe('nothing fits');
    expect(screenLines(screen({ notice: 'no such key' }), { columns: 79, rows: 24 }, false).at(-1)).toBe(
      'no such key',
    );
  });
});

describe('text of any size', () => {
  const digits = (max: bigint) => fc.bigInt({ min: 0n, max });
  const decimal = fc
    .tuple(digits(10n ** 20n), fc.integer({ min: 0, max: 12 }))
    .map(([mantissa, decimals]) => {
      const text = String(mantissa).padStart(decimals + 1, '0');
      return decimals === 0 ? text : `${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
    });
  const anyLevel = fc.record({
    price: decimal,
    qty: decimal,
    total: decimal,
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    beyondKnown: fc.boolean(),
  });
  const anyTrade: fc.Arbitrary<TapeRow> = fc.oneof(
    fc.constant<TapeRow>({ tag: 'missing' }),
    fc.record({
      tag: fc.constant('trade' as const),
      tsMs: fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined }),
      aggressor: fc.constantFrom('buy' as const, 'sell' as const, 'unknown' as const),
      price: decimal,
      qty: decimal,
    }),
  );
  const anyMarket: fc.Arbitrary<MarketView> = fc.record({
    bids: fc.array(anyLevel, { maxLength: 12 }),
    asks: fc.array(anyLevel, { maxLength: 12 }),
    spread: fc.option(fc.record({ text: decimal, bp: fc.double() }), { nil: undefined }),
    distrust: fc.option(fc.constant('STALE (sequence_gap)'), { nil: undefined }),
    instrument: fc.constantFrom('sim:A', 'deribit:BTC-27MAR26-120000-C', 'binance:币安人生USDT', 'x:\x1b[2J'),
    state: fc.constantFrom('synced', 'STALE (sequence_gap)', 'NO SERVER, connecting again'),
    doubts: fc.subarray(['BEYOND KNOWN', 'CROSSED']),
    replayMs: fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined }),
    seq: digits(10n ** 15n).map(String),
    ageMs: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: undefined }),
    latency: fc.option(
      fc.record({
        p50Ms: fc.double({ min: 0, max: 1e5, noNaN: true }),
        errorMs: fc.option(fc.double({ min: 0, max: 1e3, noNaN: true }), { nil: undefined }),
      }),
      { nil: undefined },
    ),
    gaps: fc.nat(),
    resyncs: fc.nat(),
    grouping: fc.option(decimal, { nil: undefined }),
    trades: fc.array(anyTrade, { maxLength: 40 }),
    tradesNotice: fc.constantFrom('', 'trades stale (disconnected)'),
  });
  const numbers = (text: string): readonly string[] => text.match(/[0-9][^\s│─~]*/gu) ?? [];

  it('is never wider or higher than the terminal, and has whole numbers only', () => {
    fc.assert(
      fc.property(
        fc.array(anyMarket, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 220 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        (views, columns, rows, isHelp) => {
          const draw = (size: { columns: number; rows: number }): readonly string[] =>
            screenLines(
              {
                names: views.map((view) => view.instrument),
                chosen: 0,
                panels: views.map((view) => ({ view, columns: new MarketColumns() })),
                depth: 12,
                isHelp,
                hasKeys: true,
                pausedMs: undefined,
                notice: '',
              },
              size,
              false,
            );
          const lines = draw({ columns, rows });
          expect(lines.length).toBeLessThanOrEqual(rows);
          for (const line of lines) {
            expect(textWidth(line)).toBeLessThanOrEqual(columns);
            expect(line).not.toContain('\x1b');
          }
          const known = new Set([
            ...numbers(draw({ columns: 2000, rows: 200 }).join(' ')),
            ...views.flatMap(({ trades, grouping }) => [
              ...trades.flatMap((row) => (row.tag === 'trade' ? [row.price, row.qty] : [])),
              grouping ?? '',
            ]),
          ]);
          for (const number of numbers(lines.join(' '))) {
            // A text that was cut says so; of a time the whole seconds may stand alone.
            if (/…|^\d\d:\d\d:\d\d(\.\d{3})?$/.test(number)) continue;
            expect(known).toContain(number);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('counts wide letters as two columns and marks as none', () => {
    expect([textWidth('币安'), textWidth('e\u0301'), textWidth('abc'), textWidth('🙂')]).toEqual([
      4, 1, 3, 2,
    ]);
    expect(painted(fitted([words('plain', '币安人生')], 5), false)).toBe('币安…');
  });

  it('keeps whole pieces whole', () => {
    const line = [words('plain', 'name '), whole('plain', '123456')];
    expect(painted(fitted(line, 11), false)).toBe('name 123456');
    expect(painted(fitted(line, 10), false)).toBe('name …');
    expect(lineWidth(fitted(line, 3))).toBe(3);
  });
});

describe('keys', () => {
  it('are letters and escape sequences, several in one piece', () => {
    expect([...keysOf('q\x1b[A\x1b[1;5C\x1bOB\t币🙂\x1b')]).toEqual([
      'q',
      '\x1b[A',
      '\x1b[1;5C',
      '\x1bOB',
      '\t',
      '币',
      '🙂',
      '\x1b',
    ]);
  });

  it('do what the help says', () => {
    const keys = [
      '?',
      '\t',
      '\x1b[C',
      '\x1bOB',
      '\x1b[Z',
      '\x1b[D',
      's',
      '+',
      '-',
      'g',
      'G',
      'p',
      'q',
      '\x1a',
      'x',
    ];
    expect(keys.map(actionOf)).toEqual([
      'help',
      'next',
      'next',
      'next',
      'previous',
      'previous',
      'split',
      'deeper',
      'shallower',
      'coarser',
      'finer',
      'pause',
      'quit',
      'suspend',
      undefined,
    ]);
  });
});
