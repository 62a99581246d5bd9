import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** A block of code in a page. */
export interface Sample {
  /** The page, from the root, and the line of the block's first line: `README.md:12`. */
  readonly place: string;
  readonly page: string;
  /** `ts`, `sh`, `json`, …; the empty text where none is said. */
  readonly language: string;
  readonly text: string;
  /** What a comment `<!-- sample: … -->` directly above says to its test; empty where there is none. */
  readonly note: string;
}

/** The blocks of code of a page, in order. */
export function samplesOf(root: string, file: string): readonly Sample[] {
  const page = relative(root, file);
  const lines = readFileSync(file, 'utf8').split('\n');
  const samples: Sample[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const [, indent = '', language = ''] = /^( *)```(\S*)/.exec(lines[at] ?? '') ?? [];
    if (!/^ *```/.test(lines[at] ?? '')) continue;
    const from = at + 1;
    for (at = from; at < lines.length && lines[at]?.trim() !== '```'; at += 1);
    const [, note = ''] = /^<!-- sample: (.*) -->$/.exec((lines[from - 2] ?? '').trim()) ?? [];
    const text = lines.slice(from, at).map((line) => line.slice(indent.length));
    samples.push({ place: `${page}:${from + 1}`, page, language, text: text.join('\n'), note });
  }
  return samples;
}

/** A whole program: a sample of TypeScript, behind those of its page that it goes on from. */
export function programFrom(sample: Sample, all: readonly Sample[]): string {
  const before = all.filter(({ page, language }) => page === sample.page && language === 'ts');
  const previous = before[before.indexOf(sample) - 1];
  return sample.note === 'goes on' && previous !== undefined
    ? `${programFrom(previous, all)}\n${sample.text}`
    : sample.text;
}

/** The commands of a shell's lines, each as its words: comments are left out, lines that end in `\` go on. */
export function shellCommands(text: string): readonly (readonly string[])[] {
  return text
    .replaceAll(/\\\n\s*/g, ' ')
    .split(/\n|&&/)
    .map(shellWords)
    .filter((words) => words.length > 0);
}

/** The words of a command: quotes of both kinds, a comment behind `#`. */
function shellWords(line: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (const letter of line) {
    if (quote !== '') {
      if (letter === quote) quote = '';
      else word = (word ?? '') + letter;
    } else if (letter === "'" || letter === '"') {
      quote = letter;
      word ??= '';
    } else if (letter === '#' && word === undefined) {
      break;
    } else if (/\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + letter;
    }
  }
  return word === undefined ? words : [...words, word];
}
