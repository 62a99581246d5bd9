/** What a message says where its template has parts: their names and values. */
export type Said = Readonly<Record<string, string>>;

/** A message that fits a template. */
export interface Match {
  /** What is said once for the whole message. */
  readonly common: Said;
  /** What each of its arguments says. */
  readonly items: readonly Said[];
  /** Arguments that do not fit, as they stand in the message. */
  readonly others: readonly unknown[];
}

/** Parts that name instruments: of an array that holds one of them each element is an argument. */
const INSTRUMENT_PARTS = ['symbol', 'lower', 'code', 'base', 'family'];

const PART = /\{([a-z]+)\}/g;
/** Letters that stand in no message: a part inside a text, and a part that is the whole value. */
const BEGIN = '\ue000';
const END = '\ue001';
const WHOLE = '\ue002';
/** The first element of an array of arguments. */
const ARGS = '\ue003';

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/**
 * The template of a venue's facts, read backwards: whether a message is of it, and what it says where the template has parts.
 * Members that the template does not have may stand beside its own, in any order; a member that is only a part may be absent.
 */
export class Pattern {
  readonly #tree: Json;

  /** `arg`: the template of one argument, which stands for `{args}`. Throws where the whole is no JSON. */
  constructor(template: string, arg = '') {
    const filled = template.replace('[{args}]', () => `["${ARGS}",${arg}]`).replace('{args}', () => arg);
    this.#tree = JSON.parse(marked(filled)) as Json;
  }

  /** Undefined: the message is another. */
  match(message: unknown): Match | undefined {
    const common: Record<string, string> = {};
    const items: Said[] = [];
    const others: unknown[] = [];
    if (!fits(this.#tree, message, { common, items, others })) return undefined;
    return { common, items: items.length > 0 || others.length > 0 ? items : listed(common), others };
  }
}

/** The text with marks in place of its parts: such as stand outside of texts become texts of their own. */
function marked(template: string): string {
  let isText = false;
  return template.replace(/\\.|"|\{([a-z]+)\}/g, (found, part: string | undefined) => {
    if (found === '"') isText = !isText;
    if (part === undefined) return found;
    return isText ? `${BEGIN}${part}${END}` : `"${WHOLE}${part}"`;
  });
}

interface Collected {
  readonly common: Record<string, string>;
  readonly items: Said[];
  readonly others: unknown[];
}

function fits(tree: Json, value: unknown, into: Collected): boolean {
  if (typeof tree === 'string') return fitsText(tree, value, into.common);
  if (typeof tree !== 'object' || tree === null) return tree === value;
  if (Array.isArray(tree)) return fitsArray(tree, value, into);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(tree).every(([name, inner]) => {
    const member: unknown = (value as Readonly<Record<string, unknown>>)[name];
    const isFree = typeof inner === 'string' && inner.startsWith(WHOLE);
    return (member === undefined && isFree) || fits(inner, member, into);
  });
}

function fitsArray(tree: readonly Json[], value: unknown, into: Collected): boolean {
  if (!Array.isArray(value)) return false;
  const only = tree.at(-1);
  if (only !== undefined && (tree[0] === ARGS || (tree.length === 1 && isArgument(only)))) {
    for (const element of value) {
      const common: Record<string, string> = {};
      if (fits(only, element, { common, items: [], others: [] })) into.items.push(common);
      else into.others.push(element);
    }
    return value.length > 0;
  }
  return tree.length === value.length && tree.every((inner, at) => fits(inner, value[at], into));
}

function isArgument(tree: Json): boolean {
  const text = JSON.stringify(tree);
  return INSTRUMENT_PARTS.some(
    (part) => text.includes(`${BEGIN}${part}${END}`) || text.includes(`"${WHOLE}${part}"`),
  );
}

function fitsText(tree: string, value: unknown, common: Record<string, string>): boolean {
  if (tree.startsWith(WHOLE)) {
    if (value === undefined || (typeof value === 'object' && value !== null)) return false;
    common[tree.slice(1)] = String(value);
    return true;
  }
  if (!tree.includes(BEGIN)) return tree === value;
  const found = typeof value === 'string' ? textPattern(tree).exec(value) : null;
  if (found === null) return false;
  Object.assign(common, found.groups);
  return true;
}

const textPatterns = new Map<string, RegExp>();

function textPattern(tree: string): RegExp {
  let pattern = textPatterns.get(tree);
  if (pattern === undefined) {
    const parts = tree.split(/\ue000([a-z]+)\ue001/);
    const source = parts.map((text, at) =>
      at % 2 === 0 ? escaped(text) : `(?<${text}>${text === 'depth' ? '\\d+' : '.+'})`,
    );
    pattern = new RegExp(`^${source.join('')}$`, 'su');
    textPatterns.set(tree, pattern);
  }
  return pattern;
}

/** An argument each, where a text has several with commas between. */
function listed(common: Said): readonly Said[] {
  const [part, list] = Object.entries(common).find(([name]) => INSTRUMENT_PARTS.includes(name)) ?? [];
  if (part === undefined || list === undefined) return [{}];
  return list.split(',').map((name) => ({ [part]: name }));
}

/** An address's template, read backwards: its path and query. Parts are decoded. */
export class AddressPattern {
  readonly #path: string;
  readonly #query: readonly (readonly [string, string])[];

  constructor(template: string) {
    const url = new URL(template.replace(PART, (_, part: string) => `${BEGIN}${part}${END}`));
    this.#path = decodeURIComponent(url.pathname);
    this.#query = [...url.searchParams];
  }

  /** Members of the query that the template does not have may stand beside its own. */
  match(url: URL): Said | undefined {
    const common: Record<string, string> = {};
    if (!fitsText(this.#path, decodeURIComponent(url.pathname), common)) return undefined;
    const query = this.#query.every(([name, value]) => {
      const given = url.searchParams.get(name);
      return given === null ? value.includes(BEGIN) : fitsText(value, given, common);
    });
    return query ? common : undefined;
  }
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
