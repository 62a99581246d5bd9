import { createHash, createHmac, createPrivateKey, randomBytes, sign } from 'node:crypto';
import type { AccountKey } from './account-key.js';
import { controlJson, member } from './control-json.js';
import type { HttpAnswer } from './http-client.js';
import type { Loss } from './session.js';
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
  { request, keyHeader, signatureHeader }: TokenFacts,
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

type TokenFacts = Extract<LoginFacts, { kind: 'token' }>;

/** A venue that answers, and does not give what a connection needs. */
export class Refusal extends Error {
  readonly loss: Loss;

  constructor(loss: Loss) {
    super(loss.detail);
    this.loss = loss;
  }
}

/**
 * The token of an answer. Throws `Refusal` where the venue says what is wrong, which is asked again rarely, and an error for
 * what is no answer of the venue's.
 */
export function tokenOf({ status, body }: HttpAnswer, facts: TokenFacts): string {
  const answer = controlJson(body);
  const token = member(answer, facts.token);
  if (status === 200 && typeof token === 'string' && token !== '') return token;
  const said = member(answer, facts.requestError);
  const detail = typeof said === 'string' && said !== '' ? said.slice(0, 200) : `HTTP status ${status}`;
  const isLogin = status === 401 || status === 403 || isAccountRefused(detail, facts);
  if (isLogin) throw new Refusal(loginLoss(`no token: ${detail}`, facts));
  if (detail === said) throw new Refusal({ cause: 'refused', detail: `no token: ${detail}`, pauseMs: 0 });
  throw new Error(status === 200 ? 'no token: the answer has none' : `no token: ${detail}`);
}

/** Longer messages are no answer to a subscription that fails. */
const ANSWER_BYTES_MAX = 1024;

/** What a message says of the account where it is the answer to a subscription that the venue does not take it for. */
export function refusedSubscription(bytes: Uint8Array, facts: TokenFacts): Loss | undefined {
  if (bytes.byteLength > ANSWER_BYTES_MAX) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Changes of books are as short, and have no such member.
  if (!text.includes(`"${facts.subscribeError}"`)) return undefined;
  const said = member(controlJson(bytes), facts.subscribeError);
  if (typeof said !== 'string' || !isAccountRefused(said, facts)) return undefined;
  return loginLoss(`no subscription: ${said.slice(0, 200)}`, facts);
}

function isAccountRefused(said: string, { refused }: TokenFacts): boolean {
  return refused.some((beginning) => said.startsWith(beginning));
}

function loginLoss(detail: string, { permission }: TokenFacts): Loss {
  const remedy = `Give the key the permission “${permission}”, check the key and its secret, and the clock of this machine.`;
  return { cause: 'login', detail, pauseMs: 0, remedy };
}
