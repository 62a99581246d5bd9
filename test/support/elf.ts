/** What a test wants to know of an ELF file of 64 bits, little-endian. */
export interface Elf {
  /** Names of its sections. */
  readonly sections: readonly string[];
  /** Versions that it needs of shared libraries, as in `GLIBC_2.34`, by library. */
  readonly needed: ReadonlyMap<string, readonly string[]>;
}

const SHT_GNU_VERNEED = 0x6ffffffe;

/** Reads the table of sections and `.gnu.version_r`. Throws for another kind of file. */
export function elfOf(bytes: Uint8Array): Elf {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1)
    throw new Error('not an ELF file of 64 bits, little-endian');
  const at64 = (at: number): number => Number(view.getBigUint64(at, true));
  const text = (at: number): string =>
    Buffer.from(bytes.subarray(at, bytes.indexOf(0, at))).toString('latin1');
  const [table, entryBytes, count] = [at64(0x28), view.getUint16(0x3a, true), view.getUint16(0x3c, true)];
  const entries = Array.from({ length: count }, (_, index) => {
    const at = table + index * entryBytes;
    return {
      name: view.getUint32(at, true),
      type: view.getUint32(at + 4, true),
      offset: at64(at + 24),
      link: view.getUint32(at + 40, true),
      info: view.getUint32(at + 44, true),
    };
  });
  const names = entries[view.getUint16(0x3e, true)]?.offset ?? 0;
  const needed = new Map<string, string[]>();
  for (const { type, offset, link, info } of entries) {
    if (type !== SHT_GNU_VERNEED) continue;
    const strings = entries[link]?.offset ?? 0;
    for (let library = 0, at = offset; library < info; library++) {
      const versions: string[] = [];
      for (
        let version = 0, of = at + view.getUint32(at + 8, true);
        version < view.getUint16(at + 2, true);
        version++
      ) {
        versions.push(text(strings + view.getUint32(of + 8, true)));
        of += view.getUint32(of + 12, true);
      }
      needed.set(text(strings + view.getUint32(at + 4, true)), versions);
      at += view.getUint32(at + 12, true);
    }
  }
  return { sections: entries.map(({ name }) => text(names + name)), needed };
}

/** The newest glibc whose symbols a file needs, as in `2.34`; empty where it needs none. */
export function glibcOf({ needed }: Elf): string {
  const versions = [...needed.values()].flat().flatMap((name) => /^GLIBC_(\d+\.\d+)/.exec(name)?.[1] ?? []);
  return versions.sort(olderFirst).at(-1) ?? '';
}

/** Orders versions of two numbers. */
export function olderFirst(a: string, b: string): number {
  const [[majorA = 0, minorA = 0], [majorB = 0, minorB = 0]] = [a, b].map((text) =>
    text.split('.').map(Number),
  ) as [number[], number[]];
  return majorA - majorB || minorA - minorB;
}
