import { z } from 'zod';
import { ALGORITHMS } from '../publish/auth/algorithm.js';
import { isLoopback } from './loopback.js';

const KEY_ADDRESS = 'https:// without a name or password in it, or http:// on this machine';

/** Whether keys may be had from an address: one that nobody on the way can answer in its place. */
function isKeyAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
  return isSafe && username === '' && password === '';
}

/** The section `auth`: where the keys of tokens are, and what tokens must be. */
export const authSchema = z.strictObject({
  jwksFile: z
    .string()
    .min(1)
    .optional()
    .meta({
      description: 'JWK Set that tokens are checked with; read again when it changes',
      examples: ['jwks.json'],
    }),
  jwksUrl: z
    .string()
    .refine(isKeyAddress, KEY_ADDRESS)
    .optional()
    .meta({
      description: 'Address of the JWK Set, in place of a file: https, or http on this machine',
      examples: ['https://login.example/jwks.json'],
    }),
  issuer: z.string().min(1).default('depthwire').describe('What iss of a token must be'),
  audience: z.string().min(1).default('depthwire').describe('What aud of a token must be or hold'),
  algorithms: z
    .array(z.enum(ALGORITHMS))
    .min(1)
    .default(['EdDSA'])
    .describe(`Ways that tokens may be signed: ${ALGORITHMS.join(', ')}`),
  leewaySeconds: z
    .int()
    .min(0)
    .max(300)
    .default(30)
    .describe('How far the clock of the issuer may be from ours; a token ends that much later'),
  jwksRefreshSeconds: z
    .int()
    .min(10)
    .max(86_400)
    .default(300)
    .describe('How often the address of the JWK Set is asked'),
  openPaths: z
    .array(z.string().regex(/^\/[^?#\s]*$/, 'a path, as in /metrics'))
    .default([])
    .describe('Paths that are answered without a token; /health and /ready always say the status alone'),
});
