import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { codeOf, DepthwireError } from '../errors.js';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a file of authorities, PEM. Throws `config.ca_file` where it cannot be read or holds none. */
export function authorities(where: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw wrong(where, `${file}: ${codeOf(cause)}`, 'Name a file that this user can read.', cause);
  }
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) {
    throw wrong(
      where,
      `${file}: no certificate in it`,
      'Name a file with lines -----BEGIN CERTIFICATE-----.',
    );
  }
  for (const [at, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch (cause) {
      const got = `${file}: certificate ${at + 1} of ${blocks.length} is damaged`;
      throw wrong(where, got, 'Copy the file again from who gave it out.', cause);
    }
  }
  return text;
}

function wrong(where: string, got: string, fix: string, cause?: unknown): DepthwireError {
  return new DepthwireError('config.ca_file', {
    what: 'a file of authorities cannot be used',
    where,
    expected: 'a file of certificates in PEM',
    got,
    fix,
    cause,
  });
}
