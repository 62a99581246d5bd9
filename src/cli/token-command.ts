import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { EntitlementClaim } from '../publish/auth/entitlements.js';
import { mint, mintKey, mintKeyPath, publicSet } from '../publish/auth/mint.js';
import { integer } from './integer.js';
import type { Shell } from './shell.js';

interface TokenFlags {
  readonly channels: readonly string[];
  readonly instruments: readonly string[];
  readonly depthMax?: number;
  readonly intervalMsMin?: number;
  readonly subscriptionsMax?: number;
  readonly connectionsMax?: number;
  readonly operations?: true;
  readonly subject: string;
  readonly expires: number;
  readonly issuer: string;
  readonly audience: string;
  readonly keyFile?: string;
  readonly jwks?: true;
}

/** `depthwire token`: the token alone on standard output, so that it can stand in `$(…)`. */
export function addTokenCommand(program: Command, shell: Shell): void {
  program
    .command('token')
    .description('make a token for development, signed with a key pair that is made on first use')
    .option('--channels <names>', 'book,depth,bbo,trades,… or * for all', list, ['*'])
    .option('--instruments <names>', "names and patterns, as in 'kraken:BTC/USD,deribit:BTC-*'", list, ['*'])
    .option('--depth-max <levels>', 'most levels a side of depth (with --channels depth)', integer)
    .option('--interval-ms-min <ms>', 'least interval of depth (with --channels depth)', integer)
    .option('--subscriptions-max <n>', 'subscriptions of one connection', integer)
    .option('--connections-max <n>', 'connections of the subject at a time', integer)
    .option('--operations', 'may see what concerns all clients: /metrics, /v1/sources, the whole of /health')
    .option('--subject <name>', 'who it is for', 'developer')
    .option('--expires <time>', 'how long it holds: 90s, 15m, 1h, 30d', seconds, 3600)
    .option('--issuer <name>', 'auth.issuer of the server', 'depthwire')
    .option('--audience <name>', 'auth.audience of the server', 'depthwire')
    .option('--key-file <file>', 'the key pair (default: token-key.json in the folder of settings)')
    .option('--jwks', 'print the public JWK Set instead, for auth.jwks_file')
    .action((flags: TokenFlags) => token(flags, shell));
}

async function token(flags: TokenFlags, { stdout, stderr, env, folder }: Shell): Promise<void> {
  const path = flags.keyFile === undefined ? mintKeyPath(env) : resolve(folder, flags.keyFile);
  const { key, isNew } = mintKey(path);
  if (isNew) await stderr.write(`a key pair was made: ${path}\n`);
  const { subject, issuer, audience, expires } = flags;
  const text =
    flags.jwks === true
      ? publicSet(key)
      : mint(key, {
          subject,
          issuer,
          audience,
          issuedAt: Math.floor(Date.now() / 1000),
          lifetimeSeconds: expires,
          entitlements: entitlementsOf(flags),
        });
  await stdout.write(`${text}\n`);
}

/** Unknown channels and bounds out of place are found where a server would find them. */
function entitlementsOf(flags: TokenFlags): EntitlementClaim {
  const { channels, instruments, depthMax, intervalMsMin, subscriptionsMax, connectionsMax, operations } =
    flags;
  const rule = { channels, instruments, ...given({ depthMax, intervalMsMin }) };
  return { allow: [rule], ...given({ subscriptionsMax, connectionsMax, operations }) } as EntitlementClaim;
}

function given(members: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function list(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim());
  if (!names.includes('')) return names;
  throw new InvalidArgumentError('Give names with commas between.');
}

const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

function seconds(text: string): number {
  const [, digits, unit = 's'] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('Give a time such as 90s, 15m, 1h or 30d.');
  return Number(digits) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS];
}
