import { createHash, createHmac, createPrivateKey, randomBytes, sign } from 'node:crypto';
import type { AccountKey } from './account-key.js';
import { messageOf, type Parts } from './template.js';
import type { LoginFacts, SignatureFacts } from './venues/facts.js';

/** The parts that prove the account at this time: of a message on the connection, or of subscriptions. */
export function signedParts(account: AccountKey, facts: SignatureFacts | null, wallMs: number): Parts {
  const { key, secret, passphrase } = account.reveal();
  const times = timeParts(wallMs);
  if (facts === null) return { ...times, key, secret, passphrase };
  const signing = { ...times, expires: String(wallMs + facts.expiresMs) };
  const bytes = facts.secret === 'base64' ? Buffer.from(secret, 'base64') : Buffer.from(secret);
  const signature = createHmac(facts.hash, bytes)
    .update(messageOf(facts.over, signing))
    .digest(facts.encoding);
  return { ...signing, key, passphrase, signature };
}

/** The time as texts name it. */
export function timeParts(wallMs: number): Parts {
  return { seconds: String(Math.floor(wallMs / 1000)), millis: String(wallMs) };
}

/** A token by RFC 7519, signed by ES256 with the account's PEM key. A fresh one for each message. */
export function jwtParts(
  account: AccountKey,
  { issuer, lifeMs }: Extract<LoginFacts, { kind: 'jwt' }>,
  wallMs: number,
): Parts {
  const { key, secret } = account.reveal();
  const from = Math.floor(wallMs / 1000);
  const header = { alg: 'ES256', typ: 'JWT', kid: key, nonce: randomBytes(16).toString('hex') };
  const claims = { iss: issuer, sub: key, nbf: from, exp: from + Math.floor(lifeMs / 1000) };
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const text = `${encode(header)}.${encode(claims)}`;
  // As it stands in an environment variable, its line ends may be written out.
  const pem = createPrivateKey(secret.replaceAll('\\n', '\n'));
  const signature = sign('sha256', Buffer.from(text), { key: pem, dsaEncoding: 'ieee-p1363' });
  return { jwt: `${text}.${signature.toString('base64url')}` };
}

/** Headers and body of the request for a token. The nonce must be greater than that of the key's last request. */
export function tokenRequest(
  account: AccountKey,
  { request, keyHeader, signatureHeader }: Extract<LoginFacts, { kind: 'token' }>,
  nonce: number,
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const { key, secret } = account.reveal();
  const body = `nonce=${nonce}`;
  const signature = createHmac('sha512', Buffer.from(secret, 'base64'))
    .update(new URL(request.url).pathname)
    .update(createHash('sha256').update(`${nonce}${body}`).digest())
    .digest('base64');
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    [keyHeader]: key,
    [signatureHeader]: signature,
  };
  return { headers, body };
}
