import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate of this machine's own names with its key, both PEM. Clients that are to trust it must be told so. */
export interface SelfSigned {
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 86_400_000;

/** Object identifiers, encoded: RFC 5758, section 3.2, and RFC 5280, sections 4.2.1 and A.1. */
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  utf8: 0x0c,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Makes a certificate for localhost, 127.0.0.1 and ::1, valid from a day before `now` for a month: RFC 5280, section 4.1. */
export function selfSigned(now: Date): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(
    der(TAG.set, sequence(COMMON_NAME, der(TAG.utf8, Buffer.from('depthwire fake venue')))),
  );
  const serial = randomBytes(8);
  // A positive number without a leading zero byte.
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const alternatives = sequence(
    der(0x82, Buffer.from('localhost')),
    der(0x87, Buffer.of(127, 0, 0, 1)),
    der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.of(1)])),
  );
  const algorithm = sequence(ECDSA_WITH_SHA256);
  const content = sequence(
    der(0xa0, der(TAG.integer, Buffer.of(2))),
    der(TAG.integer, serial),
    algorithm,
    name,
    sequence(time(now.getTime() - DAY_MS), time(now.getTime() + 30 * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        sequence(SUBJECT_ALT_NAME, der(TAG.octets, alternatives)),
        // No authority over others: readers that hold to that take no certificate of an authority from a server.
        sequence(BASIC_CONSTRAINTS, der(TAG.boolean, Buffer.of(0xff)), der(TAG.octets, sequence())),
      ),
    ),
  );
  const signature = der(TAG.bits, Buffer.concat([Buffer.of(0), sign('sha256', content, privateKey)]));
  const base64 = sequence(content, algorithm, signature).toString('base64');
  const lines = base64.match(/.{1,64}/g)?.join('\n') ?? '';
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

/** A value by its tag, length and content: X.690, section 8.1. */
function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const bytes = length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
  return Buffer.concat([Buffer.of(tag), bytes, content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(TAG.sequence, Buffer.concat(parts));
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(TAG.time, Buffer.from(digits));
}
