import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What was fetched: the untouched answers of a product's endpoints, and when. */
export interface StoredList {
  readonly fetchedMs: number;
  readonly pages: readonly Uint8Array[];
}

/** Of a file whose form is another. */
const VERSION = 1;
const HEAD_BYTES_MAX = 65_536;

/** The first line of a file; the pages follow back to back. */
interface Head {
  readonly version: number;
  readonly product: string;
  /** Where the pages were asked for: a list from another address is another list. */
  readonly urls: readonly string[];
  readonly fetchedMs: number;
  readonly pageBytes: readonly number[];
}

/** `depthwire` in the user's cache folder. */
export function userCacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  const base =
    env.XDG_CACHE_HOME || (process.platform === 'win32' && env.LOCALAPPDATA) || join(homedir(), '.cache');
  return join(base, 'depthwire');
}

/** Lists of instruments on disk, a file each product. What this process stored it knows without the disk, too. */
export class InstrumentCache {
  readonly #folder: string;
  readonly #stored = new Map<string, StoredList & { readonly urls: readonly string[] }>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  pathOf(product: string): string {
    return join(this.#folder, `${product}.instruments`);
  }

  /** The list of a product as it was last stored from these addresses; undefined where there is none that is whole. */
  async load(product: string, urls: readonly string[]): Promise<StoredList | undefined> {
    const bytes = await readFile(this.pathOf(product)).catch(() => undefined);
    const end = bytes?.subarray(0, HEAD_BYTES_MAX).indexOf(0x0a) ?? -1;
    if (bytes === undefined || end === -1) return undefined;
    const head = headOf(bytes.toString('utf8', 0, end));
    if (head?.product !== product || head.urls.join('\n') !== urls.join('\n')) return undefined;
    const pages: Uint8Array[] = [];
    let at = end + 1;
    for (const size of head.pageBytes) {
      pages.push(bytes.subarray(at, at + size));
      at += size;
    }
    return at === bytes.byteLength ? { fetchedMs: head.fetchedMs, pages } : undefined;
  }

  /** What this process stored last, whatever became of the file. */
  stored(product: string, urls: readonly string[]): StoredList | undefined {
    const list = this.#stored.get(product);
    return list?.urls.join('\n') === urls.join('\n') ? list : undefined;
  }

  /** Stores a list: on disk whole, or not at all. Throws what the file system says. */
  async store(product: string, urls: readonly string[], { fetchedMs, pages }: StoredList): Promise<void> {
    this.#stored.set(product, { urls, fetchedMs, pages });
    const path = this.pathOf(product);
    const part = `${path}.${process.pid}`;
    const pageBytes = pages.map(({ byteLength }) => byteLength);
    const head: Head = { version: VERSION, product, urls, fetchedMs, pageBytes };
    await mkdir(this.#folder, { recursive: true });
    try {
      await writeFile(part, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), ...pages]));
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }
}

function headOf(text: string): Head | undefined {
  try {
    const head = JSON.parse(text) as Partial<Head> | null;
    const { version, urls, pageBytes, fetchedMs } = head ?? {};
    const isWhole =
      version === VERSION &&
      Number.isSafeInteger(fetchedMs) &&
      Array.isArray(urls) &&
      Array.isArray(pageBytes) &&
      pageBytes.every((size) => Number.isSafeInteger(size) && size >= 0);
    return isWhole ? (head as Head) : undefined;
  } catch {
    return undefined;
  }
}
