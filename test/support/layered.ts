import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Flags, type Layered, layeredConfig } from '../../src/config/layers.js';
import { DepthwireError } from '../../src/errors.js';

export interface Given {
  readonly file?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: Partial<Flags>;
}

/** A configuration of a file, which is written as `given.toml` into the folder, the environment and flags. */
export function layeredIn(folder: string, { file, env = {}, flags }: Given): Layered {
  if (file !== undefined) writeFileSync(join(folder, 'given.toml'), file);
  return layeredConfig({
    path: file === undefined ? undefined : 'given.toml',
    folder,
    env,
    flags: { texts: {}, sources: [], instruments: [], ...flags },
  });
}

/** What a call throws, which it must. */
export function fault(call: () => unknown): DepthwireError {
  try {
    call();
  } catch (error) {
    if (error instanceof DepthwireError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
