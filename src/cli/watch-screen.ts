import { setTimeout as pause } from 'node:timers/promises';
import type { Feed } from '../wire/index.js';
import type { Keyboard } from './keyboard.js';
import { MarketColumns, type MarketView } from './market-text.js';
import { panelsIn, screenLines } from './screen-text.js';
import type { Terminal } from './terminal.js';
import { actionOf, type WatchAction } from './watch-keys.js';
import type { WatchLimits } from './watch-limits.js';
import { Refusals, WatchedMarket } from './watch-market.js';
import { fitting } from './watch-server.js';

const REDRAW_MS = 100;
/** How often the server is asked for instruments that have come. */
const LIST_MS = 5000;
const DEPTH_MAX = 100;
/** Levels by which a key makes a ladder deeper: fine where there are few. */
const DEPTH_STEPS: readonly number[] = [1, 2, 3, 5, 8, 10, 15, 20, 25, 30, 40, 50, 75, DEPTH_MAX];
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
/** A screen of its own without a cursor, and back to what the terminal showed before. */
const ENTER_SCREEN = '\x1b[?1049h\x1b[?25l';
const LEAVE_SCREEN = '\x1b[?25h\x1b[?1049l';

export interface ScreenOptions {
  /** Names and patterns. */
  readonly wanted: readonly string[];
  /** The names that the server has now. */
  readonly names: readonly string[];
  /** Asks for them again. */
  readonly listNames: () => Promise<readonly string[]>;
  readonly depth: number;
  readonly grouping: string | undefined;
  readonly keyboard: Keyboard | undefined;
  readonly limits: WatchLimits;
}

interface Shown {
  readonly market: WatchedMarket;
  readonly columns: MarketColumns;
}

/** Ladders on a screen of their own, drawn ten times a second, until a key, a signal or a limit ends them. */
export class WatchScreen {
  private readonly feed: Feed;
  private readonly terminal: Terminal;
  private readonly options: ScreenOptions;
  private readonly refusals = new Refusals();
  private readonly ended = new AbortController();
  private readonly signal: AbortSignal;
  private names: readonly string[];
  private chosen = 0;
  private depth: number;
  private isSplit = true;
  private isHelp = false;
  private notice = '';
  private paused: { readonly sinceMs: number; readonly views: ReadonlyMap<string, MarketView> } | undefined;
  private markets: ReadonlyMap<string, Shown> = new Map();
  private drawn = '';
  /** The terminal is the shell's. */
  private isAway = false;

  constructor(feed: Feed, terminal: Terminal, options: ScreenOptions) {
    this.feed = feed;
    this.terminal = terminal;
    this.options = options;
    this.signal = AbortSignal.any([options.limits.signal, this.ended.signal]);
    this.names = fitting(options.wanted, options.names);
    this.depth = options.depth;
  }

  /** Draws until it is ended. Throws the error that ended the feed, or the only instrument's. */
  async run(): Promise<void> {
    const { terminal, options, signal } = this;
    const hasLeft = terminal.atExit(LEAVE_SCREEN);
    const endKeys = options.keyboard?.listen((key) => this.press(key));
    const followed = this.followNames();
    await terminal.write(ENTER_SCREEN);
    try {
      while (!signal.aborted && this.feed.state !== 'closed') {
        this.follow();
        const only = this.names.length === 1 ? this.markets.get(this.names[0] as string) : undefined;
        if (only?.market.error !== undefined) throw only.market.error;
        if (!this.isAway) await this.draw();
        await pause(REDRAW_MS, undefined, { signal }).catch(() => {});
      }
    } finally {
      this.ended.abort();
      endKeys?.();
      for (const { market } of this.markets.values()) market.close();
      await terminal.write(LEAVE_SCREEN);
      hasLeft();
      await followed;
    }
    if (this.feed.error !== undefined) throw this.feed.error;
  }

  /** The instruments that are drawn: the chosen one, and those after it that there is room for. */
  private get visible(): readonly string[] {
    const { names, chosen } = this;
    const room = this.isSplit ? panelsIn(this.columns, names.length) : Math.min(1, names.length);
    const first = Math.max(0, Math.min(chosen, names.length - room));
    return names.slice(first, first + room);
  }

  private get columns(): number {
    // In the last column some terminals would clear what was just written there.
    return this.terminal.size().columns - 1;
  }

  /** Watches what is drawn and nothing else. */
  private follow(): void {
    const { visible, markets, depth } = this;
    for (const [name, { market }] of markets) if (!visible.includes(name)) market.close();
    const { grouping, limits } = this.options;
    const start = (name: string): Shown => ({
      market: new WatchedMarket(this.feed, name, { depth, grouping }, this.refusals, () => limits.came()),
      columns: new MarketColumns(),
    });
    this.markets = new Map(visible.map((name) => [name, markets.get(name) ?? start(name)]));
  }

  private async draw(): Promise<void> {
    const { names, chosen, depth, isHelp, paused, terminal, columns } = this;
    const panels = [...this.markets].map(([name, { market, columns }]) => ({
      view: paused?.views.get(name) ?? market.view(depth),
      columns,
    }));
    const { wanted, limits, keyboard } = this.options;
    const hasKeys = keyboard !== undefined;
    const refusals = [...this.markets.values()].map(({ market }) => market.refusal);
    const none = names.length === 0 ? `no instrument of the server fits ${wanted.join(' ')}` : '';
    const notice = [none, this.notice, ...refusals].find((text) => text !== '') ?? '';
    const pausedMs = paused && performance.now() - paused.sinceMs;
    const view = { names, chosen, panels, depth, isHelp, hasKeys, pausedMs, notice };
    const lines = screenLines(view, { columns, rows: terminal.size().rows }, terminal.hasColor);
    const hasBook = panels.some((panel) => panel.view.seq !== '0');
    if (hasBook && !limits.take()) return;
    const text = HOME + lines.map((line) => line + CLEAR_LINE).join('\n') + CLEAR_BELOW;
    if (text !== this.drawn) await terminal.write(text);
    this.drawn = text;
  }

  private press(key: string): void {
    const action = actionOf(key);
    this.notice = '';
    if (action === undefined) {
      if (key !== '\x1b') this.notice = 'no such key: ? shows them';
      this.isHelp = false;
      return;
    }
    this.act(action);
  }

  private act(action: WatchAction): void {
    switch (action) {
      case 'quit':
        this.ended.abort();
        break;
      case 'help':
        this.isHelp = !this.isHelp;
        break;
      case 'next':
        this.choose(1);
        break;
      case 'previous':
        this.choose(-1);
        break;
      case 'deeper':
        this.deepen(DEPTH_STEPS.find((step) => step > this.depth));
        break;
      case 'shallower':
        this.deepen(DEPTH_STEPS.findLast((step) => step < this.depth));
        break;
      case 'coarser':
        this.regroup(1);
        break;
      case 'finer':
        this.regroup(-1);
        break;
      case 'split':
        this.isSplit = !this.isSplit;
        break;
      case 'pause':
        this.pause();
        break;
      case 'suspend':
        this.suspend();
        break;
    }
  }

  private choose(by: number): void {
    const { length } = this.names;
    if (length > 0) this.chosen = (this.chosen + by + length) % length;
    this.paused = undefined;
  }

  private deepen(depth: number | undefined): void {
    if (depth === undefined) return;
    this.depth = depth;
    for (const { market } of this.markets.values()) market.setDepth(depth);
  }

  /** Of the chosen instrument alone: each has a tick of its own. */
  private regroup(by: 1 | -1): void {
    const name = this.names[this.chosen];
    const shown = name === undefined ? undefined : this.markets.get(name);
    if (shown === undefined || name === undefined) return;
    if (!shown.market.stepBy(by)) this.notice = 'the tick of this instrument is not known yet';
  }

  private pause(): void {
    const views = [...this.markets].map(([name, { market }]): [string, MarketView] => {
      const view = market.view(this.depth);
      return [name, { ...view, state: `PAUSED (${view.state})`, distrust: 'PAUSED' }];
    });
    this.paused =
      this.paused === undefined ? { sinceMs: performance.now(), views: new Map(views) } : undefined;
  }

  /** Ctrl-Z: the shell's own screen, and this one again when the shell lets it go on. */
  private suspend(): void {
    this.isAway = true;
    void this.terminal.write(LEAVE_SCREEN).then(() =>
      this.options.keyboard?.suspend(() => {
        void this.terminal.write(ENTER_SCREEN);
        this.drawn = '';
        this.isAway = false;
      }),
    );
  }

  /** Instruments that fit a pattern and come later. A server that does not answer now is asked again. */
  private async followNames(): Promise<void> {
    const { wanted, listNames } = this.options;
    if (fitting(wanted, []).length === wanted.length) return;
    for (;;) {
      await pause(LIST_MS, undefined, { signal: this.signal }).catch(() => {});
      if (this.signal.aborted) return;
      const names = await listNames().catch(() => undefined);
      if (names === undefined || this.signal.aborted) continue;
      const chosen = this.names[this.chosen];
      this.names = fitting(wanted, names);
      this.chosen = Math.max(0, this.names.indexOf(chosen ?? ''));
    }
  }
}
