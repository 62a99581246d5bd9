import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A registry of npm on this machine. */
export interface LocalRegistry {
  readonly url: string;
  close(): Promise<void>;
}

interface Published {
  readonly manifest: Manifest;
  readonly tarball: () => Uint8Array;
}

/**
 * A registry that has these tarballs, and what they depend on as it is installed in `modules`, as well as the packages that
 * `others` names. Whatever else is asked for is not found, so nothing comes from a network.
 */
export async function localRegistry(
  tarballs: readonly { readonly manifest: Manifest; readonly file: string }[],
  modules: string,
  others: readonly string[] = [],
): Promise<LocalRegistry> {
  const published = new Map<string, Published>();
  const visit = (folder: string): void => {
    const path = join(modules, folder, 'package.json');
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return;
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
    if (published.has(manifest.name)) return;
    published.set(manifest.name, { manifest, tarball: () => packed(join(modules, folder)) });
    for (const name of dependenciesOf(manifest)) visit(name);
  };
  for (const { manifest, file } of tarballs) {
    published.set(manifest.name, { manifest, tarball: () => readFileSync(file) });
    for (const name of dependenciesOf(manifest)) visit(name);
  }
  for (const name of others) visit(name);
  const server = createServer((request, response) => {
    const [, name = '', file] =
      /^\/((?:@[^/]+\/)?[^/]+)(\/-\/.*)?$/.exec(decodeURIComponent(request.url ?? '')) ?? [];
    const found = published.get(name);
    if (found === undefined) return response.writeHead(404).end('{}');
    const tarball = found.tarball();
    if (file !== undefined) return response.end(tarball);
    const { version } = found.manifest;
    const dist = {
      tarball: `http://${request.headers.host}/${name}/-/${version}.tgz`,
      integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
    };
    const versions = { [version]: { ...found.manifest, dist } };
    return response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ name, versions, 'dist-tags': { latest: version } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function dependenciesOf({ dependencies, optionalDependencies }: Manifest): readonly string[] {
  return Object.keys({ ...dependencies, ...optionalDependencies });
}

/** A folder without its node_modules as a tarball of npm. */
function packed(folder: string): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1).replaceAll('\\', '/');
    if (!entry.isFile() || name.startsWith('node_modules/')) continue;
    const content = readFileSync(path);
    const padding = Buffer.alloc(-content.byteLength & 511);
    parts.push(header(`package/${name}`, content.byteLength), content, padding);
  }
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]), { level: 1 });
}

/** The header of a file in a ustar archive. */
function header(path: string, bytes: number): Uint8Array {
  const out = Buffer.alloc(512);
  // A path of more than 100 bytes is cut at a slash.
  const cut = path.length <= 100 ? -1 : path.indexOf('/', path.length - 101);
  out.write(path.slice(cut + 1), 0);
  out.write(cut === -1 ? '' : path.slice(0, cut), 345);
  out.write('0000644\0', 100);
  out.write('0000000\0'.repeat(2), 108);
  out.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124);
  out.write(`${'0'.repeat(11)}\0        0`, 136);
  out.write('ustar\x0000', 257);
  const sum = out.reduce((total, byte) => total + byte, 0);
  out.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return out;
}
