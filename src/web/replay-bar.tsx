import { useEffect, useRef } from 'preact/hooks';
import type { FrameLoop } from './frame-loop.js';
import { partsOf } from './part.js';
import { type Replay, type ReplayState, recordedWords, speedsWith, speedWords } from './replay.js';
import { TextCell } from './text-cell.js';

/** The clock tells seconds, and each frame that draws costs. */
const CLOCK_PACE = { everyMs: 250, waitMs: 100 } as const;
/** What the buttons beside the clock go by. */
const STEP_MS = 60_000;

const STATE_WORDS: Readonly<Record<ReplayState, string>> = {
  starting: 'starting',
  running: 'running',
  paused: 'paused',
  seeking: 'running to that time',
  ended: 'ended: the last books stay',
  failed: 'failed: the recording cannot be read',
};

interface ReplayBarProps {
  readonly replay: Replay;
  readonly loop: FrameLoop;
}

/** Says that the books are of a recording, and of when; stops it, and makes it go faster or elsewhere. */
export function ReplayBar({ replay, loop }: ReplayBarProps) {
  const bar = useRef<HTMLElement>(null);
  const isHeld = useRef(false);
  useEffect(() => {
    const element = bar.current;
    if (element === null) return;
    const part = partsOf(element);
    const clock = new TextCell(part('.replay-clock'));
    const slider = part('.replay-time') as HTMLInputElement;
    return loop.add((nowMs) => {
      const clockMs = replay.clockMs(nowMs);
      clock.set(recordedWords(clockMs));
      const { standing } = replay;
      if (standing === null || isHeld.current) return;
      const { beginMs, endMs, seekMs } = standing;
      const shownMs = Number.isFinite(seekMs) ? seekMs : clockMs;
      const lastMs = Number.isFinite(endMs) ? endMs : Math.max(shownMs, Number(slider.max));
      show(slider, beginMs, lastMs, shownMs);
    }, CLOCK_PACE);
  }, [replay, loop]);
  const { standing } = replay;
  const speed = standing?.speed ?? 1;
  const go = (seekMs: number) => void replay.wish({ seekMs });
  const by = (ms: number) => go(replay.clockMs(performance.now()) + ms);
  return (
    <section ref={bar} class="panel replay" aria-label="Replay" data-state={standing?.state}>
      <strong class="replay-badge">REPLAY</strong>
      <time class="replay-clock numbers" title="The recording’s time now, by this browser’s clock" />
      <button
        type="button"
        class="replay-pause"
        title="Pause or go on: p"
        onClick={() => void replay.wish({ paused: standing?.paused !== true })}
      >
        {standing?.paused === true ? 'Go on' : 'Pause'}
      </button>
      <label class="replay-label">
        Speed
        <select
          class="replay-speed"
          value={String(speed)}
          onChange={({ currentTarget: { value } }) =>
            void replay.wish({ speed: value === 'Infinity' ? 'max' : Number(value) })
          }
        >
          {speedsWith(speed).map((one) => (
            <option key={one} value={String(one)}>
              {speedWords(one)}
            </option>
          ))}
        </select>
      </label>
      <button type="button" aria-label="One minute back" title="One minute back" onClick={() => by(-STEP_MS)}>
        −1 min
      </button>
      <input
        type="range"
        class="replay-time"
        aria-label="Time of the recording"
        step="1000"
        onPointerDown={() => {
          isHeld.current = true;
        }}
        onInput={({ currentTarget: slider }) => tellTime(slider)}
        onChange={({ currentTarget: slider }) => {
          isHeld.current = false;
          go(Number(slider.value));
        }}
        onBlur={() => {
          isHeld.current = false;
        }}
      />
      <button
        type="button"
        aria-label="One minute ahead"
        title="One minute ahead"
        onClick={() => by(STEP_MS)}
      >
        +1 min
      </button>
      <span class="replay-end numbers" title="The time of the last line, where it is known">
        {Number.isFinite(standing?.endMs) ? `ends ${recordedWords(standing?.endMs ?? Number.NaN)}` : ''}
      </span>
      <label class="replay-label">
        <input
          type="checkbox"
          class="replay-skip"
          checked={standing?.skipIdle === true}
          onChange={({ currentTarget }) => void replay.wish({ skipIdle: currentTarget.checked })}
        />
        Skip idle times
      </label>
      <span class="replay-state" role="status">
        {replay.refusal === '' ? (standing === null ? '' : STATE_WORDS[standing.state]) : replay.refusal}
      </span>
    </section>
  );
}

function show(slider: HTMLInputElement, beginMs: number, lastMs: number, shownMs: number): void {
  const isKnown = Number.isFinite(beginMs) && lastMs > beginMs;
  if (slider.disabled === isKnown) slider.disabled = !isKnown;
  if (!isKnown) return;
  const [min, max] = [String(Math.floor(beginMs)), String(Math.ceil(lastMs))];
  if (slider.min !== min) slider.min = min;
  if (slider.max !== max) slider.max = max;
  // A step of the arrow keys is a hundredth of the whole, and a second at least.
  const step = String(Math.max(1000, Math.round((lastMs - beginMs) / 100_000) * 1000));
  if (slider.step !== step) slider.step = step;
  const before = slider.value;
  slider.value = String(shownMs);
  if (slider.value !== before) tellTime(slider);
}

/** Says the time, not its milliseconds. */
function tellTime(slider: HTMLInputElement): void {
  slider.setAttribute('aria-valuetext', recordedWords(Number(slider.value)));
}
