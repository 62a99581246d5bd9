/** Of which a family's name must end: `_seconds`, `_bytes`. */
export type Unit = 'seconds' | 'bytes' | 'ratio';

/** A value with the label that tells it from others of its family. */
export type Labelled = readonly [label: string, value: number];

export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const PREFIX = 'depthwire_';

/**
 * Text by the OpenMetrics specification 1.0: families one after the other, each with its type, its unit where it has one and its
 * help before its samples, and `# EOF` at the end. Names get the prefix of this program, except those of `process`.
 */
export class OpenMetrics {
  #text = '';

  /** A number that only grows; its sample ends in `_total`. */
  counter(name: string, help: string, value: number, unit?: Unit): void {
    const family = this.#family(name, 'counter', help, unit);
    this.#text += `${family}_total ${printed(value)}\n`;
  }

  /** A counter by one label. Without values it is a family without samples, which is legal. */
  counters(name: string, help: string, label: string, values: Iterable<Labelled>, unit?: Unit): void {
    const family = this.#family(name, 'counter', help, unit);
    for (const [of, value] of values)
      this.#text += `${family}_total{${label}="${escaped(of)}"} ${printed(value)}\n`;
  }

  /** A counter by several labels, which stand in `labels` as they are to be written. */
  countersBy(name: string, help: string, values: Iterable<readonly [labels: string, value: number]>): void {
    const family = this.#family(name, 'counter', help);
    for (const [labels, value] of values) this.#text += `${family}_total{${labels}} ${printed(value)}\n`;
  }

  gauge(name: string, help: string, value: number, unit?: Unit): void {
    const family = this.#family(name, 'gauge', help, unit);
    this.#text += `${family} ${printed(value)}\n`;
  }

  gauges(name: string, help: string, label: string, values: Iterable<Labelled>, unit?: Unit): void {
    const family = this.#family(name, 'gauge', help, unit);
    for (const [of, value] of values)
      this.#text += `${family}{${label}="${escaped(of)}"} ${printed(value)}\n`;
  }

  /** What is true of the whole process, as labels. */
  info(name: string, help: string, labels: Readonly<Record<string, string>>): void {
    const family = this.#family(name, 'info', help);
    const list = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
    this.#text += `${family}_info{${list.join(',')}} 1\n`;
  }

  /** `counts`: one more than bounds, the last of what is above all of them. Both become cumulative here. */
  histogram(
    name: string,
    help: string,
    bounds: readonly number[],
    counts: readonly number[],
    sum: number,
    unit?: Unit,
  ): void {
    this.#histogram(this.#family(name, 'histogram', help, unit), '', bounds, counts, sum);
  }

  /** Histograms by one label, over the same bounds; each as `histogram` has it. */
  histograms(
    name: string,
    help: string,
    label: string,
    bounds: readonly number[],
    rows: readonly { readonly of: string; readonly counts: readonly number[]; readonly sum: number }[],
    unit?: Unit,
  ): void {
    const family = this.#family(name, 'histogram', help, unit);
    for (const { of, counts, sum } of rows)
      this.#histogram(family, `${label}="${escaped(of)}"`, bounds, counts, sum);
  }

  #histogram(
    family: string,
    label: string,
    bounds: readonly number[],
    counts: readonly number[],
    sum: number,
  ): void {
    let count = 0;
    for (const [at, own] of counts.entries()) {
      count += own;
      const bound = bounds[at];
      const le = `le="${bound === undefined ? '+Inf' : float(bound)}"`;
      this.#text += `${family}_bucket${labels(label, le)} ${printed(count)}\n`;
    }
    this.#ends(family, label, sum, count);
  }

  #ends(family: string, label: string, sum: number, count: number): void {
    const of = labels(label);
    this.#text += `${family}_sum${of} ${printed(sum)}\n${family}_count${of} ${printed(count)}\n`;
  }

  /** Summaries by one label. */
  summaries(
    name: string,
    help: string,
    label: string,
    rows: readonly {
      readonly of: string;
      readonly quantiles: readonly (readonly [quantile: number, value: number])[];
      readonly sum: number;
      readonly count: number;
    }[],
    unit?: Unit,
  ): void {
    const family = this.#family(name, 'summary', help, unit);
    for (const { of, quantiles, sum, count } of rows) {
      const own = `${label}="${escaped(of)}"`;
      for (const [quantile, value] of quantiles)
        this.#text += `${family}${labels(own, `quantile="${float(quantile)}"`)} ${printed(value)}\n`;
      this.#ends(family, own, sum, count);
    }
  }

  summary(
    name: string,
    help: string,
    quantiles: readonly (readonly [quantile: number, value: number])[],
    sum: number,
    count: number,
    unit?: Unit,
  ): void {
    const family = this.#family(name, 'summary', help, unit);
    for (const [quantile, value] of quantiles)
      this.#text += `${family}{quantile="${float(quantile)}"} ${printed(value)}\n`;
    this.#ends(family, '', sum, count);
  }

  /** All of it; nothing may follow. */
  end(): string {
    return `${this.#text}# EOF\n`;
  }

  #family(name: string, type: string, help: string, unit?: Unit): string {
    const family = name.startsWith('process_') ? name : PREFIX + name;
    this.#text += `# TYPE ${family} ${type}\n`;
    if (unit !== undefined) this.#text += `# UNIT ${family} ${unit}\n`;
    this.#text += `# HELP ${family} ${escaped(help)}\n`;
    return family;
  }
}

/** Labels in braces, those that are empty left out. */
function labels(...parts: readonly string[]): string {
  const list = parts.filter((part) => part !== '').join(',');
  return list === '' ? '' : `{${list}}`;
}

function escaped(text: string): string {
  return /[\\"\n]/.test(text)
    ? text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    : text;
}

function printed(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

/** Bounds are written so that each has one form only. */
function float(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}
