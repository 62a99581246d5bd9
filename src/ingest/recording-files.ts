import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

const SEGMENT = '.dwj';
const PACKED = /^\.(zst|gz)$/;

/**
 * The files of recordings: a folder stands for the segments of journals in it, in the order of their names, which is that of
 * time. Of a segment that is there packed and plain, the packed one counts, which is only there once it is whole. A path that is
 * no such folder stays as it is: whoever reads it says what is wrong with it.
 */
export async function recordingFiles(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const given of paths) {
    const segments = (await isFolder(given)) ? segmentsIn(await readdir(given)) : [];
    files.push(...(segments.length === 0 ? [given] : segments.map((name) => path.join(given, name))));
  }
  return files;
}

async function isFolder(given: string): Promise<boolean> {
  try {
    return (await stat(given)).isDirectory();
  } catch {
    // Not there, or not to be read.
    return false;
  }
}

function segmentsIn(names: readonly string[]): readonly string[] {
  const stems = new Map<string, string>();
  for (const name of [...names].sort()) {
    const ending = name.lastIndexOf(SEGMENT);
    const packing = ending < 0 ? '' : name.slice(ending + SEGMENT.length);
    // A packed name is the later one, and takes the plain one's place.
    if (ending > 0 && (packing === '' || PACKED.test(packing))) stems.set(name.slice(0, ending), name);
  }
  return [...stems.values()];
}
