import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { DepthwireError } from '../errors.js';

/** One file of the page, held in memory. */
export interface Asset {
  readonly type: string;
  readonly body: Uint8Array;
}

/** Files of the page by path, as in `/index.html`. Only what is in this map is ever served. */
export type Site = ReadonlyMap<string, Asset>;

const FILES_MAX = 256;
const BYTES_MAX = 32 << 20;

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** Reads a built page into memory; a folder that does not exist is an empty site. Throws `site.too_big`. */
export function loadSite(folder: string): Site {
  const site = new Map<string, Asset>();
  let entries: readonly Dirent[];
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch {
    return site;
  }
  let bytes = 0;
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    const body = readFileSync(file);
    bytes += body.byteLength;
    if (site.size === FILES_MAX || bytes > BYTES_MAX) {
      throw new DepthwireError('site.too_big', {
        what: 'the folder of the page holds more than the server keeps in memory',
        where: folder,
        expected: `at most ${FILES_MAX} files and ${BYTES_MAX} bytes`,
        got: `${site.size + 1} files, ${bytes} bytes`,
        fix: 'Build the page anew with npm run build.',
      });
    }
    site.set(`/${relative(folder, file).split(sep).join('/')}`, { type, body });
  }
  return site;
}
