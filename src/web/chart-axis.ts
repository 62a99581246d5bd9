/** The round numbers of an axis: multiples of 1, 2, 2.5 or 5 times a power of ten, as many as there is room for. */
export function ticksOf(low: number, high: number, countMax: number): readonly number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span) || countMax < 1) return [];
  const raw = span / countMax;
  const decade = 10 ** Math.floor(Math.log10(raw));
  const lead = [1, 2, 2.5, 5, 10].find((one) => one * decade >= raw * (1 - 1e-9)) ?? 10;
  const step = lead * decade;
  const ticks: number[] = [];
  // Counted, not added up: sums of a step that no float holds drift.
  const first = Math.ceil(low / step - 1e-9);
  for (let at = first; at * step <= high + step * 1e-9; at += 1)
    ticks.push(Number((at * step).toPrecision(12)));
  return ticks;
}

/** The least and the greatest of some columns; NaN where they hold nothing. */
export function rangeOf(
  columns: readonly (readonly (number | null)[])[],
): readonly [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const column of columns) {
    for (const value of column) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low > high ? [Number.NaN, Number.NaN] : [low, high];
}
