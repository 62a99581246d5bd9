// @ts-check
/**
 * `npm run pack [-- --addons FOLDER] [--out FOLDER]`: what is published, as tarballs: `depthwire`, which is the same
 * everywhere, and a package with the addon for each platform.
 *
 * Without `--addons` the addon of this machine is packed; with it every target of package.json, whose files must all be in
 * that folder, as a release has them. The packages for platforms are optional dependencies of what is packed only: the
 * repository installs without them.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SUFFIXES, suffixOf, thisPlatform } from '../src/native/platform.js';
import { licencesOfCrates } from './licences.mjs';
import { isMain, run } from './run.mjs';
import { root } from './sources.mjs';

/**
 * @typedef {object} Tarball
 * @property {string} name of the package
 * @property {string} file
 * @property {number} packedBytes
 * @property {number} unpackedBytes
 * @property {readonly string[]} files in it
 */

/** Oldest glibc that an addon for Linux may need; releases are linked for an older one (docs/releasing.md). */
export const GLIBC_FLOOR = process.env.DEPTHWIRE_GLIBC_FLOOR || '2.34';

/** What every package says of itself. */
const COMMON = /** @type {const} */ (['license', 'repository', 'homepage', 'bugs', 'engines']);

/**
 * @param {{ out: string, addons?: string | undefined }} options
 * @returns {Promise<Tarball[]>} the package first
 */
export async function pack({ out, addons }) {
  rmSync(out, { recursive: true, force: true });
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const staged = [stageMain(path.join(out, 'depthwire'), manifest)];
  for (const suffix of addons === undefined ? [ownSuffix()] : Object.values(SUFFIXES)) {
    const file = path.join(addons ?? path.join(root, 'src/native'), `depthwire.${suffix}.node`);
    if (!existsSync(file)) throw new Error(`${file} is missing: npm run build makes that of this machine`);
    staged.push(stagePlatform(path.join(out, 'npm', suffix), suffix, file, manifest));
  }
  /** @type {Tarball[]} */
  const packed = [];
  for (const folder of staged) packed.push(await npmPack(folder, out));
  return packed;
}

/** The addon's suffix on this machine. */
function ownSuffix() {
  const suffix = suffixOf(thisPlatform());
  if (suffix === undefined)
    throw new Error('there is no package for this platform; see napi.targets of package.json');
  return suffix;
}

/**
 * The files that package.json names, and package.json without what only the repository needs.
 * @param {string} folder
 * @param {any} manifest
 */
function stageMain(folder, manifest) {
  const { scripts: _scripts, devDependencies: _devDependencies, napi: _napi, ...kept } = manifest;
  const platforms = Object.values(SUFFIXES).map((suffix) => [`depthwire-${suffix}`, manifest.version]);
  mkdirSync(folder, { recursive: true });
  write(folder, 'package.json', { ...kept, optionalDependencies: Object.fromEntries(platforms) });
  for (const entry of ['README.md', ...manifest.files]) {
    cpSync(path.join(root, entry), path.join(folder, entry), {
      recursive: true,
      filter: (file) => !file.endsWith('.node'),
    });
  }
  return folder;
}

/**
 * package.json of a package with the addon. It says nothing of its other files, so a second program for the platform only
 * has to lie beside the addon.
 * @param {string} suffix
 * @param {any} manifest of `depthwire`
 */
export function platformManifest(suffix, manifest) {
  const [os, cpu, abi] = suffix.split('-');
  const libc = abi === 'gnu' ? { libc: ['glibc'] } : abi === 'musl' ? { libc: ['musl'] } : {};
  return {
    name: `depthwire-${suffix}`,
    version: manifest.version,
    description: `The engine of depthwire for ${suffix}.`,
    ...Object.fromEntries(COMMON.map((key) => [key, manifest[key]])),
    // Node loads an addon as it does CommonJS.
    ...{ type: 'commonjs', main: `depthwire.${suffix}.node`, os: [os], cpu: [cpu], ...libc },
  };
}

/**
 * A package with the addon.
 * @param {string} folder
 * @param {string} suffix
 * @param {string} addon
 * @param {any} manifest of `depthwire`
 */
function stagePlatform(folder, suffix, addon, manifest) {
  const own = platformManifest(suffix, manifest);
  const { name, main } = own;
  mkdirSync(folder, { recursive: true });
  write(folder, 'package.json', own);
  const text = `# ${name}\n\nThe native part of [depthwire](https://www.npmjs.com/package/depthwire) for ${suffix}. Install \`depthwire\`.\n`;
  writeFileSync(path.join(folder, 'README.md'), text);
  for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE'])
    cpSync(path.join(root, licence), path.join(folder, licence));
  const [target = ''] = Object.entries(SUFFIXES).find(([, other]) => other === suffix) ?? [];
  writeFileSync(path.join(folder, 'THIRD-PARTY.md'), licencesOfCrates(target));
  cpSync(addon, path.join(folder, main));
  return folder;
}

/**
 * @param {string} folder
 * @param {string} out
 * @returns {Promise<Tarball>}
 */
async function npmPack(folder, out) {
  const npm = process.env.npm_execpath;
  const args = ['pack', '--json', '--silent', '--ignore-scripts', '--pack-destination', out];
  const outcome = await run(npm ? [process.execPath, npm, ...args] : ['npm', ...args], { cwd: folder });
  if (!outcome.ok) throw new Error(`npm pack ${outcome.ending}\n${outcome.output}`);
  // npm 11 gives a list, npm 12 the packages by name.
  const [told] = Object.values(JSON.parse(outcome.output.slice(outcome.output.search(/^[[{]/m))));
  return {
    name: told.name,
    file: path.join(out, told.filename),
    packedBytes: told.size,
    unpackedBytes: told.unpackedSize,
    files: told.files.map((/** @type {{ path: string }} */ file) => file.path),
  };
}

/**
 * @param {string} folder
 * @param {string} name
 * @param {unknown} value
 */
function write(folder, name, value) {
  writeFileSync(path.join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * A line for each tarball.
 * @param {readonly Tarball[]} tarballs
 */
export function sizes(tarballs) {
  const kb = (/** @type {number} */ bytes) => `${Math.round(bytes / 1000).toLocaleString('en')} kB`;
  return tarballs
    .map(
      ({ file, packedBytes, unpackedBytes, files }) =>
        `${path.basename(file)}: ${kb(packedBytes)}, ${kb(unpackedBytes)} unpacked, ${files.length} files\n`,
    )
    .join('');
}

if (isMain(import.meta.url)) {
  const value = (/** @type {string} */ flag) => {
    const at = process.argv.indexOf(flag);
    return at === -1 ? undefined : path.resolve(process.argv[at + 1] ?? '.');
  };
  const out = value('--out') ?? path.join(root, '.build', 'pack');
  process.stdout.write(sizes(await pack({ out, addons: value('--addons') })));
  process.stdout.write(`in ${out}\n`);
}
