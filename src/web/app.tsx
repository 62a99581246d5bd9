import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { Alerts } from './alerts.js';
import { Beside, BesidePicker, viewsBeside } from './beside.js';
import { opened, optionsBeside } from './chain-choice.js';
import { copyFocused, watchCopies } from './exact-copy.js';
import type { FrameLoop } from './frame-loop.js';
import { Health } from './health.js';
import { Heatmap } from './heatmap.js';
import { HelpDialog } from './help-dialog.js';
import { InstrumentList, InstrumentPicker } from './instrument-list.js';
import { type Command, commandFor, type KeyPlace } from './keys.js';
import { Ladder } from './ladder.js';
import type { LadderPainter } from './ladder-painter.js';
import { useLoaded } from './loaded.js';
import { Market } from './market.js';
import { ReplayBar } from './replay-bar.js';
import type { Session } from './session.js';
import type { Settings } from './settings.js';
import { SourceList } from './source-list.js';
import { currentTheme, toggleTheme } from './theme.js';
import { keepTitle } from './title.js';
import { TokenDialog } from './token-dialog.js';

/** How long the page says that it has copied. */
const COPIED_MS = 1500;

interface AppProps {
  readonly session: Session;
  readonly loop: FrameLoop;
  readonly settings: Settings;
}

/**
 * The page's frame. Preact renders what changes by hand: the list of instruments, the selection, the theme; what
 * changes with the market is drawn by painters in the frame loop.
 */
export function App({ session, loop, settings }: AppProps) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [theme, setTheme] = useState<string>(currentTheme);
  const [help, setHelp] = useState(false);
  const [token, setToken] = useState(false);
  const ladder = useRef<LadderPainter>(null);
  const [copied, setCopied] = useState(false);

  const { access } = session;
  useEffect(() => session.onChange(() => redraw(undefined)), [session]);
  useEffect(() => keepTitle(session), [session]);
  useEffect(() => settings.onChange(() => redraw(undefined)), [settings]);
  useEffect(() => setToken(access.wanted !== undefined), [access.wanted]);
  useEffect(watchCopies, []);
  useEffect(() => {
    const timer = copied ? setTimeout(() => setCopied(false), COPIED_MS) : undefined;
    return () => clearTimeout(timer);
  }, [copied]);
  useEffect(() => {
    const system = matchMedia('(prefers-color-scheme: light)');
    const follow = () => setTheme(currentTheme());
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const modified = event.ctrlKey || event.altKey || event.metaKey;
      const command = commandFor({ key: event.key, modified, place: placeOf(event.target) });
      if (command === null) return;
      event.preventDefault();
      run(command);
    };
    const run = (command: Command) => {
      if (command.kind === 'theme') setTheme(toggleTheme());
      else if (command.kind === 'help') setHelp(true);
      else if (command.kind === 'pause') {
        const { standing } = session.replay;
        if (standing !== null) void session.replay.wish({ paused: !standing.paused });
      } else if (command.kind === 'copy') setCopied(copyLadder());
      else if (command.kind === 'orders') settings.set('orders', !settings.values.orders);
      else if (command.kind === 'chain')
        settings.set('chain', settings.values.chain === '' ? opened(session) : '');
      else if (command.kind === 'signals') settings.set('signals', !settings.values.signals);
      else if (command.kind === 'heatmap') settings.set('heat', !settings.values.heat);
      else runInMarket(command, session, ladder.current?.rows ?? 0);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [session, settings]);

  const rows = () => ladder.current?.rows ?? 0;
  const isChain = settings.values.chain !== '' && optionsBeside(session).length > 0;
  const isHeat = settings.values.heat && !isChain;
  const ChainView = useLoaded(isChain, async () => (await import('./chain.js')).Chain);
  return (
    <div
      class="page"
      data-heat={isHeat ? '' : undefined}
      data-beside={viewsBeside(session, settings).length || undefined}
    >
      <header class="header">
        <h1 class="brand">depthwire</h1>
        <span class="state connection" data-state={session.connection} role="status">
          {session.connected && session.replay.isOn ? 'Replay' : CONNECTION_WORDS[session.connection]}
        </span>
        <span class="spacer" />
        <InstrumentPicker session={session} />
        <BesidePicker session={session} settings={settings} />
        {!isChain && optionsBeside(session).length > 0 && (
          <button
            type="button"
            title="Option chain: x"
            onClick={() => settings.set('chain', opened(session))}
          >
            Chain
          </button>
        )}
        {!settings.values.heat && (
          <button type="button" title="Depth over time: h" onClick={() => settings.set('heat', true)}>
            Heatmap
          </button>
        )}
        <button
          type="button"
          title="Signals: s"
          aria-pressed={settings.values.signals}
          onClick={() => settings.set('signals', !settings.values.signals)}
        >
          Signals
        </button>
        {(access.wanted ?? access.token) !== undefined && (
          <button type="button" data-wanted={access.wanted && ''} onClick={() => setToken(true)}>
            Token
          </button>
        )}
        <button
          type="button"
          aria-label="Dark or light"
          title="Dark or light: t"
          onClick={() => setTheme(toggleTheme())}
        >
          {theme === 'dark' ? 'Light' : 'Dark'}
        </button>
        <button
          type="button"
          aria-label="Keys and help"
          title="Keys and help: ?"
          onClick={() => setHelp(true)}
        >
          ?
        </button>
        {session.replay.isOn && <ReplayBar replay={session.replay} loop={loop} />}
      </header>
      {isChain && ChainView !== null && <ChainView session={session} loop={loop} settings={settings} />}
      {isHeat && <Heatmap session={session} loop={loop} settings={settings} theme={theme} />}
      <div class="ladders" hidden={isChain}>
        <Ladder
          session={session}
          loop={loop}
          settings={settings}
          painter={ladder}
          onGroup={(by) => runInMarket({ kind: 'group', by }, session, rows())}
          onFollow={() => runInMarket({ kind: 'follow' }, session, rows())}
          onOrders={() => settings.set('orders', !settings.values.orders)}
          onCopy={() => setCopied(copyLadder())}
          copied={copied}
        />
        <Beside session={session} loop={loop} settings={settings} />
      </div>
      <Market session={session} loop={loop} settings={settings} theme={theme} />
      <div class="left">
        <SourceList session={session} />
        <InstrumentList session={session} loop={loop} />
        <Alerts session={session} settings={settings} />
        <Health session={session} loop={loop} theme={theme} />
      </div>
      <HelpDialog open={help} onClose={() => setHelp(false)} />
      <TokenDialog access={access} open={token} onClose={() => setToken(false)} />
    </div>
  );
}

const CONNECTION_WORDS = {
  connecting: 'Connecting',
  open: 'Live',
  reconnecting: 'Reconnecting',
  closed: 'Closed: reload the page',
} as const;

/** Copies of the ladder that has the focus, else of the selected one. */
function copyLadder(): boolean {
  const focused = document.activeElement?.closest('.rungs');
  const ladder = focused ?? document.querySelector('#ladder');
  if (ladder instanceof HTMLElement) ladder.focus({ preventScroll: true });
  return copyFocused();
}

function placeOf(target: EventTarget | null): KeyPlace {
  if (!(target instanceof Element)) return 'elsewhere';
  if (target.closest('select, input, textarea, dialog') !== null) return 'field';
  if (target.closest('#ladder') !== null) return 'ladder';
  return target.closest('#instrument-list') === null ? 'elsewhere' : 'list';
}

type MarketCommand = Exclude<
  Command,
  { readonly kind: 'theme' | 'help' | 'heatmap' | 'orders' | 'chain' | 'signals' | 'copy' | 'pause' }
>;

function runInMarket(command: MarketCommand, session: Session, rows: number): void {
  if (command.kind === 'list-move') {
    session.selectNext(command.by);
    return;
  }
  const position = session.selected?.position;
  if (position === undefined) return;
  const { bestBid, bestAsk } = session.book;
  switch (command.kind) {
    case 'ladder-move':
      position.move(command.by, rows, bestBid, bestAsk);
      break;
    case 'ladder-page':
      position.scroll(command.by * Math.max(1, rows - 2));
      break;
    case 'ladder-clear':
      position.cursor = Number.NaN;
      break;
    case 'group':
      position.regroup(command.by, rows);
      session.tellAddress();
      break;
    case 'follow':
      position.followTouch(rows, bestBid, bestAsk);
      break;
  }
}
