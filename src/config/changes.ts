import type { Config } from './schema.js';
import { fileKey } from './settings.js';

/** What a server that runs cannot take over of a changed configuration, and must leave until its next start. */
export function changedKeys(before: Config, after: Config): readonly string[] {
  const values = new Map(leaves(before));
  const keys = new Set<string>();
  for (const [key, value] of leaves(after)) {
    if (values.get(key) !== value) keys.add(key);
    values.delete(key);
  }
  for (const key of values.keys()) keys.add(key);
  const whole = [...Object.keys(before.sources), ...Object.keys(after.sources)].filter(
    (name) => !(name in before.sources && name in after.sources),
  );
  // A source that came or went is one change, and which instruments a source has can be taken over.
  return [
    ...[...keys].filter(
      (key) => !isTakenOver(key) && !whole.some((name) => key.startsWith(`sources.${name}.`)),
    ),
    ...whole.map((name) => `sources.${name}`),
  ];
}

function isTakenOver(key: string): boolean {
  return /^sources\.[^.]+\.instruments$/.test(key);
}

/** Every key with its value as text; a list is one value. */
function* leaves(value: unknown, path: readonly PropertyKey[] = []): Generator<readonly [string, string]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    if (value !== undefined) yield [fileKey(path), JSON.stringify(value)];
    return;
  }
  for (const [word, inner] of Object.entries(value)) yield* leaves(inner, [...path, word]);
}
