// @ts-check
/** The certificate and the keys of the servers under test, which a run may replace, and tokens of their clients. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { selfSigned } from '../../dist/fake-venue/certificate.js';
import { mint, publicSet } from '../../dist/publish/auth/mint.js';
import { folder } from './folder.mjs';

const TERMS = { issuer: 'depthwire', audience: 'depthwire' };
/** @typedef {import('../../dist/publish/auth/entitlements.js').EntitlementClaim} Entitlements */

/** @type {Entitlements} */
const EVERYTHING = { allow: [{ channels: ['*'], instruments: ['*'] }], operations: true };
const LIFETIME_SECONDS = 3600;

/** For the section `tls` of a configuration. */
export const TLS = {
  certFile: path.join(folder, 'server.pem'),
  keyFile: path.join(folder, 'server-key.pem'),
};
/** For the section `auth`. */
export const AUTH = { jwksFile: path.join(folder, 'jwks.json') };

/** @typedef {import('../../dist/publish/auth/mint.js').MintKey} Key */

/** @type {Key} */
let key;
let made = 0;

/** Nobody reads half of a file. @param {string} file @param {string} text */
function replace(file, text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** @param {string} keyId @returns {Key} */
export const keyPair = (keyId) => ({ keyId, privateKey: generateKeyPairSync('ed25519').privateKey });

/** The key that tokens are signed with now. */
export const keyNow = () => key;

/** The certificate, as a client has to trust it. */
export const certificate = () => readFileSync(TLS.certFile, 'utf8');

/** Puts another certificate in the place of the one that is there. */
export function renewCertificate() {
  const { cert, key } = selfSigned(new Date());
  replace(TLS.keyFile, key);
  replace(TLS.certFile, cert);
}

/** Tokens are signed by another key from now on; `kept` are good beside it. @param {readonly Key[]} kept */
export function renewKeys(kept = []) {
  made += 1;
  key = keyPair(`key ${made}`);
  keepKeys(kept);
}

/** Of older keys these alone are good beside the one of now. @param {readonly Key[]} kept */
export function keepKeys(kept) {
  const sets = [key, ...kept].map((each) => JSON.parse(publicSet(each)).keys[0]);
  replace(AUTH.jwksFile, JSON.stringify({ keys: sets }));
}

/**
 * A token.
 * @param {string} subject
 * @param {{ by?: Key, entitlements?: Entitlements, issuedAt?: number }} [more]
 */
export function token(subject, { by = key, entitlements = EVERYTHING, issuedAt } = {}) {
  return mint(by, {
    ...TERMS,
    subject,
    entitlements: structuredClone(entitlements),
    issuedAt: issuedAt ?? Math.floor(Date.now() / 1000),
    lifetimeSeconds: LIFETIME_SECONDS,
  });
}

let issued = 0;

/** Writes so many tokens that no server has seen yet. Returns the file. @param {number} count */
export function tokenFile(count) {
  const file = path.join(folder, 'tokens');
  writeFileSync(file, Array.from({ length: count }, () => token(`client ${issued++}`)).join('\n'));
  return file;
}

renewCertificate();
renewKeys();
