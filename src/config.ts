import { checkExposure } from './config/exposure.js';
import { fault, type OriginOf, placed } from './config/faults.js';
import { type Config, configSchema } from './config/schema.js';
import { DepthwireError } from './errors.js';

export { isLoopback } from './config/loopback.js';
export type {
  Config,
  ConfigInput,
  InstrumentOverride,
  KeysConfig,
  Limits,
  SourceConfig,
  Speed,
} from './config/schema.js';

/**
 * Checks a configuration, fills in what is not given, and freezes the result. `originOf` says where a key of the file's
 * form (`server.port`) was given. Throws `config.*`, naming the key.
 */
export function configFrom(input: unknown, originOf: OriginOf = () => undefined): Config {
  checkReplay(input, originOf);
  const parsed = configSchema.safeParse(input);
  if (!parsed.success) {
    const [first, ...others] = parsed.error.issues;
    // A key that is not known is as a rule the one that its table is found to lack.
    const table = String(first?.path.slice(0, -1));
    const slip = others.find(({ code, path }) => code === 'unrecognized_keys' && String(path) === table);
    throw fault(slip ?? first, input, originOf);
  }
  const config = parsed.data;
  checkKeySource(config, originOf);
  checkRecord(config, originOf);
  checkExposure(config, originOf);
  const { backpressureSoftBytes, backpressureHardBytes } = config.limits;
  if (backpressureSoftBytes >= backpressureHardBytes) {
    throw new DepthwireError('config.invalid', {
      what: 'the soft limit is not below the hard one',
      where: placed('limits.backpressure_soft_bytes', originOf),
      expected: `below limits.backpressure_hard_bytes (${backpressureHardBytes})`,
      got: String(backpressureSoftBytes),
      fix: 'Lower limits.backpressure_soft_bytes or raise limits.backpressure_hard_bytes.',
    });
  }
  return deepFreeze(config);
}

/** Throws `config.replay` where something is said of a replay, but not of what. */
function checkReplay(input: unknown, originOf: OriginOf): void {
  const replay = typeof input === 'object' && input !== null ? Reflect.get(input, 'replay') : undefined;
  if (typeof replay !== 'object' || replay === null || 'files' in replay) return;
  const [word = ''] = Object.keys(replay);
  throw new DepthwireError('config.replay', {
    what: 'speed and loop belong to a replay, and no recording is named',
    where: placed(`replay.${word}`, originOf),
    expected: '--replay FILE, or replay.files',
    got: 'no recording',
    fix: 'Add --replay FILE, or leave it out.',
  });
}

/** Throws `config.record` where a replay is to be recorded. */
function checkRecord({ record, replay }: Config, originOf: OriginOf): void {
  if (record === undefined || replay === undefined) return;
  throw new DepthwireError('config.record', {
    what: 'a replay is not recorded: it is a recording',
    where: placed('record.folder', originOf),
    expected: 'live sources, or the embedded venue',
    got: replay.files.join(', '),
    fix: `Leave it out. As a journal: depthwire convert ${replay.files.join(' ')} --out FOLDER.`,
  });
}

/** Throws `config.auth` where tokens are asked for, and it is not said once where their keys are. */
function checkKeySource({ auth }: Config, originOf: OriginOf): void {
  if (auth === undefined || (auth.jwksFile === undefined) !== (auth.jwksUrl === undefined)) return;
  const isMissing = auth.jwksFile === undefined;
  throw new DepthwireError('config.auth', {
    what: isMissing
      ? 'tokens are asked for, and there are no keys to check them with'
      : 'the keys of tokens are in two places',
    where: placed(isMissing ? 'auth' : 'auth.jwks_url', originOf),
    expected: 'auth.jwks_file or auth.jwks_url',
    got: isMissing ? 'neither' : 'both',
    fix: isMissing
      ? 'Name the JWK Set of the issuer. For development: depthwire token --jwks > jwks.json, and --jwks-file jwks.json.'
      : 'Leave one of them out.',
  });
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
