import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { codeOf, DepthwireError } from '../../errors.js';
import { entitledBy } from './claims.js';
import { CLAIM, type EntitlementClaim } from './entitlements.js';
import { TOKEN_BYTES_MAX } from './token.js';

/** A key pair that tokens for development are signed with. Ed25519. */
export interface MintKey {
  /** The thumbprint of the public key (RFC 7638), so that it names itself. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

/** What a token is to say. */
export interface Minted {
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  readonly entitlements: EntitlementClaim;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly lifetimeSeconds: number;
}

/** Signs a token. Throws what a server would refuse it with: `auth.entitlements`, `auth.claims`, `auth.too_big`. */
export function mint({ keyId, privateKey }: MintKey, minted: Minted): string {
  const { issuer, audience, subject, entitlements, issuedAt, lifetimeSeconds } = minted;
  const header = { alg: 'EdDSA', typ: 'JWT', kid: keyId };
  const times = { iat: issuedAt, exp: issuedAt + lifetimeSeconds };
  const claims = { iss: issuer, aud: audience, sub: subject, ...times, [CLAIM]: entitlements };
  const taken = entitledBy(claims, { issuer, audience, leewaySeconds: 0 });
  if (taken instanceof DepthwireError) throw taken;
  const signed = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const token = `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
  if (token.length <= TOKEN_BYTES_MAX) return token;
  throw new DepthwireError('auth.too_big', {
    what: 'a token with so many entitlements is longer than any that is read',
    where: CLAIM,
    expected: `at most ${TOKEN_BYTES_MAX} bytes`,
    got: `${token.length} bytes`,
    fix: 'Use patterns, such as venue:*, in place of names.',
  });
}

/** The JWK Set of a key, public part alone. */
export function publicSet({ keyId, privateKey }: MintKey): string {
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  return JSON.stringify({ keys: [{ ...jwk, kid: keyId, use: 'sig', alg: 'EdDSA' }] });
}

/** Where the key pair lies by default: in the user's folder of settings. */
export function mintKeyPath(env: Readonly<Record<string, string | undefined>>): string {
  const base =
    env.XDG_CONFIG_HOME || (process.platform === 'win32' && env.APPDATA) || join(homedir(), '.config');
  return join(base, 'depthwire', 'token-key.json');
}

/**
 * The key pair of a file, made there on first use, for its owner alone to read. Throws `auth.token_key` for a file that
 * others can read, or that holds no such key; what is in it is told nowhere.
 */
export function mintKey(path: string): { readonly key: MintKey; readonly isNew: boolean } {
  const isNew = !existsSync(path);
  if (isNew) make(path);
  return { key: stored(path), isNew };
}

/** Written under another name first, so that another process never reads half of it. */
function make(path: string): void {
  const { privateKey } = generateKeyPairSync('ed25519');
  const part = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(part, JSON.stringify(privateKey.export({ format: 'jwk' })), { mode: 0o600, flag: 'wx' });
    try {
      chmodSync(part, 0o600);
      linkSync(part, path);
    } finally {
      rmSync(part);
    }
  } catch (cause) {
    // Another process was faster: its key pair is the one.
    if (codeOf(cause) === 'EEXIST' && existsSync(path)) return;
    throw wrong(path, 'a place to write to', codeOf(cause), 'Name another file with --key-file.');
  }
}

function stored(path: string): MintKey {
  let text: string;
  try {
    const { mode } = statSync(path);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      throw wrong(
        path,
        'mode 600',
        `mode ${(mode & 0o777).toString(8)}`,
        `Others may have read it: remove it for a new one, or chmod 600 ${path}.`,
      );
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof DepthwireError) throw cause;
    throw wrong(path, 'a file that can be read', codeOf(cause), 'Name another file with --key-file.');
  }
  try {
    const privateKey = createPrivateKey({ key: JSON.parse(text), format: 'jwk' });
    const { crv, kty, x } = createPublicKey(privateKey).export({ format: 'jwk' });
    if (crv === 'Ed25519') {
      const keyId = createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
      return { keyId, privateKey };
    }
  } catch {
    // What is wrong with it would tell of what is in it.
  }
  throw wrong(
    path,
    'a private Ed25519 key as JWK',
    'something else',
    'Remove it for a new one, or name another file with --key-file.',
  );
}

function wrong(where: string, expected: string, got: string, fix: string): DepthwireError {
  return new DepthwireError('auth.token_key', {
    what: 'the key pair of tokens cannot be used',
    where,
    expected,
    got,
    fix,
  });
}
