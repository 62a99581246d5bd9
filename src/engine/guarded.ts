import { codeOf, DepthwireError, shown } from '../errors.js';

/** Runs a call into the addon and gives what it throws this package's type. */
export function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw typed(error);
  }
}

/** The addon's error, of which each part has a line of its own, as this package's. */
export function typed(error: unknown): DepthwireError {
  if (error instanceof DepthwireError) return error;
  const message = error instanceof Error ? error.message : shown(error);
  const code = codeOf(error);
  // JavaScript's own errors, of arguments that are not even of the declared kind.
  if (!/^[a-z]+\.[a-z_]+$/.test(code)) {
    return new DepthwireError('engine.wrong_argument', {
      what: 'an argument is not what the declarations say',
      where: 'engine',
      expected: 'arguments of the declared types',
      got: message,
      fix: 'Let a TypeScript compiler check the call.',
      cause: error,
    });
  }
  const [, what = message, expected = '', got = '', fix = ''] =
    /^(.*)\nexpected: (.*)\ngot: (.*)\nfix: (.*)$/.exec(message) ?? [];
  return new DepthwireError(code, {
    what,
    where: 'engine',
    expected,
    got,
    fix: fix || 'Change what was handed in so that it matches what was expected.',
    cause: error,
  });
}

/** The error of an input that the listener calls. */
export function reentrant(input: string): DepthwireError {
  return new DepthwireError('engine.reentrant', {
    what: 'an input of the engine was called by its own listener',
    where: input,
    expected: 'inputs after the call that the listener is part of has ended',
    got: `${input}() inside it`,
    fix: 'Call it in a later turn: setImmediate, queueMicrotask or a queue of your own.',
  });
}

/** The ids as the addon takes them. Throws `addon.not_an_integer` for one that is none. */
export function instrumentIds(instruments: readonly number[]): Uint32Array {
  const ids = Uint32Array.from(instruments, Number);
  const bent = ids.findIndex((id, at) => id !== instruments[at]);
  if (bent !== -1) throw notAnInstrument(instruments[bent]);
  return ids;
}

function notAnInstrument(id: unknown): DepthwireError {
  return new DepthwireError('addon.not_an_integer', {
    what: 'wrong instrument',
    where: 'engine',
    expected: `an integer from 0 to ${2 ** 32 - 1}`,
    got: shown(id),
    fix: 'Pass the id that instruments() lists.',
  });
}
