/** A family of an OpenMetrics text, as a strict reader has it. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/;
const NUMBER = /^(?:[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|NaN|[+-]Inf)$/;

/** What samples of a type may be called behind the name of their family. */
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  info: ['_info'],
  histogram: ['_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/** Reads a text by the rules of OpenMetrics 1.0, as far as types of this program go. Throws on what they do not allow. */
export function readOpenMetrics(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n# EOF\n')) throw new Error('does not end with # EOF and a line feed');
  const families = new Map<string, Family & { readonly samples: Sample[] }>();
  const series = new Set<string>();
  let family: { name: string; type: string; unit: string; help: string; samples: Sample[] } | undefined;
  for (const line of text.slice(0, -'# EOF\n'.length).split('\n').slice(0, -1)) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${JSON.stringify(line)}`);
    };
    if (line.startsWith('#')) {
      const [, word = '', name = '', rest = ''] =
        /^# (TYPE|UNIT|HELP) (\S+) (.+)$/.exec(line) ?? fail('no metadata');
      if (!NAME.test(name)) fail('no name');
      if (family?.name !== name) {
        if (families.has(name)) fail('a family in two places');
        family = { name, type: '', unit: '', help: '', samples: [] };
        families.set(name, family);
      }
      if (family.samples.length > 0) fail('metadata behind samples');
      const key = word.toLowerCase() as 'type' | 'unit' | 'help';
      if (family[key] !== '') fail('said twice');
      if (word === 'HELP' && /(^|[^\\])(\\\\)*(\\[^\\"n]|\\$|")/.test(rest)) fail('help is not escaped');
      if (word === 'TYPE' && !(rest in SUFFIXES)) fail('no type');
      if (word === 'UNIT' && !name.endsWith(`_${rest}`)) fail('the name does not end with the unit');
      family[key] = rest;
      continue;
    }
    const [, name = '', list, number = ''] = SAMPLE.exec(line) ?? fail('no sample');
    if (family === undefined) throw fail('a sample of no family');
    const { name: of, type } = family;
    if (!SUFFIXES[type]?.some((suffix) => name === of + suffix)) fail(`no sample of the ${type} ${of}`);
    if (!NUMBER.test(number)) fail('no number');
    const labels = labelsOf(list, fail);
    const key = `${name}{${[...labels].sort().join()}}`;
    if (series.has(key)) fail('a series twice');
    series.add(key);
    const value = number.endsWith('Inf') ? Number(`${number}inity`) : Number(number);
    if (type === 'counter' && !(value >= 0)) fail('a counter below 0');
    if (type === 'info' && value !== 1) fail('an info that is not 1');
    if (type === 'summary' && name === of && !isShare(labels.get('quantile'))) fail('no quantile');
    family.samples.push({ name, labels, value });
  }
  for (const { name, type, samples } of families.values())
    if (type === 'histogram') for (const own of histogramsOf(samples)) checkHistogram(name, own);
  for (const one of families.keys())
    for (const suffix of ['_total', '_info', '_bucket', '_sum', '_count', '_created'])
      if (one.endsWith(suffix)) throw new Error(`${one} ends as samples do`);
  return families;
}

function labelsOf(list: string | undefined, fail: (why: string) => never): ReadonlyMap<string, string> {
  const labels = new Map<string, string>();
  for (let rest = list ?? ''; rest !== ''; ) {
    const [whole = '', label = '', value = ''] = LABEL.exec(rest) ?? fail('no label');
    if (labels.has(label)) fail('a label twice');
    labels.set(
      label,
      value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
    );
    rest = rest.slice(whole.length);
  }
  return labels;
}

function isShare(text: string | undefined): boolean {
  return text !== undefined && Number(text) >= 0 && Number(text) <= 1;
}

/** The samples of each histogram of a family: those whose labels are the same but for the bound. */
function histogramsOf(samples: readonly Sample[]): Iterable<readonly Sample[]> {
  const byLabels = new Map<string, Sample[]>();
  for (const sample of samples) {
    const labels = [...sample.labels].filter(([label]) => label !== 'le');
    const key = JSON.stringify(labels.sort());
    byLabels.set(key, [...(byLabels.get(key) ?? []), sample]);
  }
  return byLabels.values();
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => labels.get('le') ?? '');
  const numbers = bounds.map((bound) => (bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound)));
  const counts = buckets.map(({ value }) => value);
  const isRising = (list: readonly number[], least: number): boolean =>
    list.every((value, at) => at === 0 || value - (list[at - 1] ?? 0) >= least);
  if (!isRising(numbers.slice(0, -1), Number.MIN_VALUE) || bounds.at(-1) !== '+Inf')
    throw new Error(`bounds of ${name}`);
  if (bounds.some((bound) => bound !== '+Inf' && !/[.e]/.test(bound)))
    throw new Error(`bounds of ${name} are no floats`);
  if (!isRising(counts, 0)) throw new Error(`counts of ${name} shrink`);
  const count = samples.find((sample) => sample.name === `${name}_count`);
  if (count?.value !== counts.at(-1)) throw new Error(`the count of ${name} is not that of its last bucket`);
}
