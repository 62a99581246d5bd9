import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { codeOf, DepthwireError } from '../../errors.js';

/** Where a server's certificate lies. */
export interface TlsFiles {
  /** PEM: the server's certificate, then those between it and an authority. */
  readonly certFile: string;
  /** PEM: its private key. */
  readonly keyFile: string;
  /** PEM: authorities of clients' certificates, which are asked for then. */
  readonly caFile?: string | undefined;
  /** Where the passphrase of the key lies, if it has one. */
  readonly passphraseEnv?: string | undefined;
  readonly passphraseFile?: string | undefined;
}

/** A certificate that has been read and fits its key. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | undefined;
  readonly passphrase: string | undefined;
  /** SHA-256 of the certificate: two are the same where this is. */
  readonly fingerprint: string;
  readonly subject: string;
  /** End of its validity, in milliseconds as `Date.now()`. */
  readonly validToMs: number;
}

/** Reads and checks a certificate. Throws `serve.certificate`, which says what is wrong with which file. */
export function readCertificate(files: TlsFiles, nowMs: number = Date.now()): Certificate {
  const cert = textOf(files.certFile);
  const key = textOf(files.keyFile);
  const ca = files.caFile === undefined ? undefined : textOf(files.caFile);
  const passphrase = passphraseOf(files);
  const parsed = attempt(files.certFile, 'a certificate in PEM', () => new X509Certificate(cert));
  const privateKey = attempt(files.keyFile, 'a private key in PEM, and its passphrase where it has one', () =>
    createPrivateKey(passphrase === undefined ? key : { key, passphrase }),
  );
  if (!parsed.checkPrivateKey(privateKey)) {
    throw wrong(files.keyFile, `the key of ${files.certFile}`, 'another key');
  }
  const validFromMs = Date.parse(parsed.validFrom);
  const validToMs = Date.parse(parsed.validTo);
  if (nowMs < validFromMs || nowMs >= validToMs) {
    const got = `${parsed.validFrom} to ${parsed.validTo}`;
    throw wrong(files.certFile, 'a certificate that is valid now', got);
  }
  const whole = { cert, key, ...(ca && { ca }), ...(passphrase !== undefined && { passphrase }) };
  attempt(files.caFile ?? files.certFile, 'certificates that TLS can use', () => createSecureContext(whole));
  const { fingerprint256: fingerprint, subject } = parsed;
  return { cert, key, ca, passphrase, fingerprint, subject, validToMs };
}

/** What changes when a file is replaced or written: for a look that costs a call of the system each. */
export function stampOf({ certFile, keyFile, caFile, passphraseFile }: TlsFiles): string {
  return [certFile, keyFile, caFile, passphraseFile]
    .filter((path) => path !== undefined)
    .map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat === undefined ? '-' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
    })
    .join('\n');
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw wrong(path, 'a file that this user can read', codeOf(cause) || 'an error', cause);
  }
}

function passphraseOf({ passphraseEnv, passphraseFile }: TlsFiles): string | undefined {
  if (passphraseFile !== undefined) return textOf(passphraseFile).trimEnd();
  if (passphraseEnv === undefined) return undefined;
  const passphrase = process.env[passphraseEnv];
  if (passphrase === undefined) throw wrong(passphraseEnv, 'an environment variable that is set', 'nothing');
  return passphrase;
}

/** Without the reason that the library gives, for that may hold what was read. */
function attempt<T>(where: string, expected: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw wrong(where, expected, codeOf(cause) || 'something else', cause);
  }
}

function wrong(where: string, expected: string, got: string, cause?: unknown): DepthwireError {
  return new DepthwireError('serve.certificate', {
    what: 'the certificate of the server cannot be used',
    where,
    expected,
    got,
    fix: 'Put the certificate and its key there again, both in PEM, then send the server SIGHUP.',
    cause,
  });
}
