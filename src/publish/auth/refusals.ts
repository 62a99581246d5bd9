import { DepthwireError } from '../../errors.js';
import { type ErrorAnswer, errorAnswer } from '../answers.js';

const ANEW = 'Have a token issued for this server, and connect anew with it.';

/** Why a request is refused for who makes it: the class of the cause, and nothing that would help to forge a token. */
const REFUSALS = {
  'auth.missing': {
    what: 'the request carries no token',
    fix: 'Send it as Authorization: Bearer TOKEN; a browser as a second subprotocol, depthwire.token.TOKEN. One in the address is not read.',
  },
  'auth.ambiguous': {
    what: 'the request carries several tokens',
    fix: 'Send one: as Authorization: Bearer TOKEN or as the subprotocol depthwire.token.TOKEN.',
  },
  'auth.too_big': {
    what: 'the token is longer than any that is read',
    fix: 'Have one issued with fewer entitlements.',
  },
  'auth.malformed': { what: 'the token is no signed JWT', fix: 'Send the token whole, as it was issued.' },
  'auth.algorithm': { what: 'the token is signed in a way that is not allowed here', fix: ANEW },
  'auth.unknown_key': {
    what: 'the token names no key that is known here',
    fix: 'Try once more in a minute, for keys are fetched now and then; else have another token issued.',
  },
  'auth.signature': {
    what: 'the signature of the token is wrong',
    fix: 'Send the token whole, as it was issued.',
  },
  'auth.issuer': { what: 'the token is of another issuer', fix: ANEW },
  'auth.audience': { what: 'the token is for another server', fix: ANEW },
  'auth.claims': {
    what: 'the token lacks a claim, or has a wrong one, that every token must have',
    fix: ANEW,
  },
  'auth.not_yet_valid': {
    what: 'the token is not valid yet',
    fix: 'Wait until it is, and check the clocks of the issuer and of this server.',
  },
  'auth.expired': { what: 'the token has expired', fix: ANEW },
  'auth.keys_unavailable': {
    what: 'the server has no keys to check tokens with at the moment',
    fix: 'Try again later; the operator is told.',
  },
} as const;

export type RefusalCode = keyof typeof REFUSALS;

/** The error of a refusal. */
export function refusal(code: RefusalCode): DepthwireError {
  return new DepthwireError(code, { ...REFUSALS[code], where: 'token' });
}

/** The HTTP status of an error of this folder. */
export function statusOf({ code }: DepthwireError): string {
  switch (code) {
    case 'auth.keys_unavailable':
      return '503 Service Unavailable';
    case 'auth.connections_full':
      return '429 Too Many Requests';
    case 'auth.operations':
    case 'feed.not_entitled':
      return '403 Forbidden';
    default:
      return '401 Unauthorized';
  }
}

/** The answer of a refusal, with the header that says how to identify oneself (RFC 6750, 3). */
export function unauthorized(error: DepthwireError): ErrorAnswer {
  const status = statusOf(error);
  const answer = errorAnswer(status, error);
  if (!status.startsWith('401')) return answer;
  const challenge = error.code === 'auth.missing' ? 'Bearer' : 'Bearer error="invalid_token"';
  return { ...answer, headers: { ...answer.headers, 'WWW-Authenticate': challenge } };
}
