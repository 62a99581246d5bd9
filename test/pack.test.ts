import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GLIBC_FLOOR, pack, platformManifest, sizes, type Tarball } from '../scripts/pack.mjs';
import { SUFFIXES } from '../src/native/platform.js';
import { elfOf, glibcOf, olderFirst } from './support/elf.js';
import { NODE, Project, run } from './support/installed.js';
import { type LocalRegistry, localRegistry } from './support/local-registry.js';
import { programFrom, samplesOf } from './support/samples.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Of the package and one addon together, bytes. */
const UNPACKED_BYTES_MAX = 12_000_000;

let main: Tarball;
let platform: Tarball;
let staging: Project;
let registry: LocalRegistry;
/** Where a user has run `npm install depthwire`. */
let user: Project;

type Manifest = Readonly<Record<string, unknown>> & { readonly name: string; readonly version: string };

/** package.json of a packed package. */
function manifestOf({ name }: Tarball): Manifest {
  const folder = name === 'depthwire' ? 'depthwire' : `npm/${name.replace('depthwire-', '')}`;
  return JSON.parse(readFileSync(staging.path('pack', folder, 'package.json'), 'utf8')) as Manifest;
}

/** Without what Node says of `require` of modules, and of a WebSocket of its own. */
function withoutWarnings(err: string): string {
  return err.replaceAll(/.*ExperimentalWarning.*\n|.*--trace-warnings.*\n/g, '');
}

beforeAll(async () => {
  staging = new Project('http://127.0.0.1/');
  const packed = await pack({ out: staging.path('pack') });
  const [first, second] = packed;
  if (first === undefined || second === undefined) throw new Error('two packages are packed');
  [main, platform] = [first, second];
  console.log(sizes(packed));
  registry = await localRegistry(
    packed.map((tarball) => ({ manifest: manifestOf(tarball), file: tarball.file })),
    join(root, 'node_modules'),
    ['@types/node'],
  );
  user = new Project(registry.url);
  await user.npm('install', 'depthwire', '@types/node');
}, 120_000);

afterAll(async () => {
  user.remove();
  staging.remove();
  await registry.close();
});

describe('what is packed', () => {
  it('holds what a user needs, and nothing that only the repository does', () => {
    for (const file of [
      ...[
        'README.md',
        'CHANGELOG.md',
        'ARCHITECTURE.md',
        'LICENSE-MIT',
        'LICENSE-APACHE',
        'docs/protocol.md',
      ],
      ...['crates/core/schema/feed.fbs', 'crates/core/schema/vectors.json', 'examples/sim-btcusdt.txt.gz'],
      ...[
        'dist/index.js',
        'dist/index.d.ts',
        'dist/web/index.html',
        'dist/cli/main.js',
        'src/native/binding.d.ts',
      ],
    ])
      expect(main.files).toContain(file);
    const stray =
      /^bench\/|(^|\/)(test|target|node_modules)\/|\.(map|node|rs|tsx|toml)$|\.test\.|(?<!\.d)\.ts$/;
    expect(main.files.filter((file) => stray.test(file))).toEqual([]);
    const mapped = main.files.filter(
      (file) =>
        file.endsWith('.js') &&
        readFileSync(user.path('node_modules/depthwire', file), 'utf8').includes('sourceMappingURL'),
    );
    expect(mapped).toEqual([]);
    expect(platform.files.toSorted()).toEqual(
      [
        ...['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'THIRD-PARTY.md', 'package.json'],
        String(manifestOf(platform).main),
      ].toSorted(),
    );
    expect(main.unpackedBytes + platform.unpackedBytes).toBeLessThan(UNPACKED_BYTES_MAX);
  });

  it('says whose work is in the page and in the addon, and under which licence', () => {
    const page = readFileSync(user.path('node_modules/depthwire/dist/web/licences.md'), 'utf8');
    expect(page).toMatch(/preact[\s\S]*MIT License/i);
    const addon = readFileSync(user.path('node_modules', platform.name, 'THIRD-PARTY.md'), 'utf8');
    for (const name of ['crc32c', 'napi', 'zstd-sys'])
      expect(addon).toMatch(new RegExp(`^\\* ${name} \\d.*: .*(MIT|BSD)`, 'm'));
    expect(addon).toContain('Copyright (c) Meta Platforms');
    expect(addon).not.toMatch(/^\* (depthwire|syn|proptest)/m);
  });

  it('runs nothing when it is installed, and has a package for each platform of the same version', () => {
    const own = manifestOf(main);
    expect(own).not.toHaveProperty('scripts');
    expect(own).not.toHaveProperty('devDependencies');
    expect(Object.values(own.optionalDependencies as object)).toEqual(Array(6).fill(own.version));
    expect(own.optionalDependencies).toHaveProperty(platform.name);
    expect(manifestOf(platform)).not.toHaveProperty('scripts');
  });

  it('goes to the platforms that it is for', () => {
    const own = manifestOf(main);
    const of = (suffix: string) => platformManifest(suffix, own);
    expect(of('linux-arm64-gnu')).toMatchObject({ os: ['linux'], cpu: ['arm64'], libc: ['glibc'] });
    expect(of('linux-x64-musl')).toMatchObject({ os: ['linux'], cpu: ['x64'], libc: ['musl'] });
    expect(of('win32-x64-msvc')).toMatchObject({ os: ['win32'], cpu: ['x64'] });
    expect(of('darwin-arm64')).toMatchObject({ os: ['darwin'], cpu: ['arm64'], version: own.version });
    expect(of('darwin-arm64')).not.toHaveProperty('libc');
    for (const suffix of Object.values(SUFFIXES)) expect(of(suffix).main).toBe(`depthwire.${suffix}.node`);
  });

  it('is not made without one of its platforms', async () => {
    const [out, addons] = [staging.path('lacking'), staging.path('none')];
    await expect(pack({ out, addons })).rejects.toThrow('depthwire.linux-x64-gnu.node is missing');
  });

  it('is well formed by publint and by are-the-types-wrong', async () => {
    for (const { file } of [main, platform]) {
      const { buffer, byteOffset, byteLength } = readFileSync(file);
      const tarball = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
      const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
      expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
    }
    const analysed = await checkPackage(createPackageFromTarballData(readFileSync(main.file)), {
      // No module: the layout of the feed, as a file.
      excludeEntrypoints: ['./schema'],
    });
    if (analysed.types === false) throw new Error('the package has no types');
    // It is of modules alone: what resolves it as CommonJS, or without `exports`, is not served.
    const others = ['node10', 'node16-cjs'];
    const problems = analysed.problems.filter(
      (problem) => !('resolutionKind' in problem && others.includes(problem.resolutionKind)),
    );
    expect(problems).toEqual([]);
  });

  it('has an addon without symbols', () => {
    if (process.platform !== 'linux') return;
    const elf = elfOf(
      readFileSync(user.path('node_modules', platform.name, String(manifestOf(platform).main))),
    );
    expect(elf.sections).toContain('.gnu.version_r');
    expect(elf.sections.filter((name) => /^\.(symtab|debug_)/.test(name))).toEqual([]);
  });

  it(`has an addon that needs no glibc newer than ${GLIBC_FLOOR}`, () => {
    if (!platform.name.endsWith('-gnu')) return;
    const elf = elfOf(
      readFileSync(user.path('node_modules', platform.name, String(manifestOf(platform).main))),
    );
    const found = glibcOf(elf);
    console.log(`${platform.name} needs glibc ${found}`);
    expect(found).toMatch(/^2\.\d+$/);
    expect([found, GLIBC_FLOOR].sort(olderFirst)).toEqual([found, GLIBC_FLOOR]);
  });
});

describe(`installed into an empty folder, with ${NODE === process.execPath ? process.version : NODE}`, () => {
  it('proves the recording that it ships', async () => {
    const { code, out } = await user.depthwire(
      ...['verify', 'node_modules/depthwire/examples/sim-btcusdt.txt.gz', '--instrument', 'sim:BTCUSDT'],
    );
    expect([code, out]).toEqual([0, expect.stringMatching(/sim:BTCUSDT {2}synced, [\s\S]*\nproven\n$/)]);
  });

  it('serves feed, page and all that the page asks for', async () => {
    const example = 'node_modules/depthwire/examples/sim-btcusdt.txt.gz';
    const server = await user.serve('--replay', example, '--loop', '--instrument', 'sim:BTCUSDT');
    const page = await fetch(server.url);
    const html = await page.text();
    expect(page.status).toBe(200);
    const assets = [...html.matchAll(/(?:src|href)="(\.\/[^"]+)"/g)].map(([, path = '']) => path);
    expect(assets.length).toBeGreaterThan(1);
    for (const path of assets)
      expect([path, (await fetch(new URL(path, server.url))).status]).toEqual([path, 200]);
    expect((await fetch(`${server.url}v1/schema`)).status).toBe(200);
    expect(await (await fetch(`${server.url}v1/instruments`)).text()).toContain('"sim:BTCUSDT"');
    expect(await server.end()).toBe(0);
  });

  it('has a doctor that finds it well', async () => {
    const { code, out } = await user.depthwire('doctor', '--port', '0');
    expect(out).toMatch(/ok +addon +the engine loads/);
    expect(code).toBe(0);
  });

  it('can be required, too', async () => {
    user.write('required.cjs', "console.log(typeof require('depthwire').openEngine);");
    const { out, err } = await user.node('required.cjs');
    expect([out, err.replace(/.*ExperimentalWarning.*\n|.*--trace-warnings.*\n/g, '')]).toEqual([
      'function\n',
      '',
    ]);
  });

  it('gives types that are right by themselves, and every sample of the README compiles and runs', async () => {
    const readme = samplesOf(user.folder, user.path('node_modules/depthwire/README.md'));
    const samples = readme.filter(({ language }) => language === 'ts');
    expect(samples.length).toBeGreaterThan(3);
    const server = await user.serve();
    const [http, ws] = [server.url, server.url.replace('http', 'ws')];
    for (const [index, sample] of samples.entries()) {
      const text = programFrom(sample, readme);
      user.write(
        `sample-${index}.ts`,
        text.replaceAll('http://127.0.0.1:8642/', http).replaceAll('ws://127.0.0.1:8642/', ws),
      );
    }
    const lib = ['es2023', 'dom', 'esnext.disposable'];
    const strict = { strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false };
    const compilerOptions = { ...strict, module: 'nodenext', target: 'es2023', lib, types: ['node'] };
    user.write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    const tsc = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], user.folder);
    expect(tsc.out).toBe('');
    const runs = samples.map(async ({ text, place }, index) => {
      // One that follows a book never ends: its first line is what counts.
      const endless = text.includes('connect(');
      const { code, out, err } = await run(NODE, [`sample-${index}.js`], user.folder, { endless });
      expect([place, withoutWarnings(err)]).toEqual([place, '']);
      expect([place, out]).toEqual([place, expect.stringMatching(/\S/)]);
      if (!endless) expect([place, code]).toEqual([place, 0]);
    });
    await Promise.all(runs);
    expect(await server.end()).toBe(0);
  }, 120_000);
});

describe('without the package for the platform', () => {
  const projects: Project[] = [];
  const project = (): Project => {
    const made = new Project(registry.url);
    projects.push(made);
    return made;
  };
  afterAll(() => {
    for (const made of projects) made.remove();
  });

  it('says that optional packages were left out, in a program, a command and the doctor', async () => {
    const bare = project();
    await bare.npm('install', '--omit=optional', 'depthwire');
    const program = await bare.node('--input-type=module', '--eval', "import 'depthwire';");
    expect(program.err).toContain('addon.not_loaded');
    expect(program.err).toContain(`${platform.name}, is not installed: package-lock.json names it`);
    expect(program.err).toContain('npm install --include=optional');
    const command = await bare.depthwire('venues');
    expect(command.code).toBe(1);
    expect(command.err).toMatch(
      /^error: .*addon\.not_loaded[\s\S]*got: .*Node \d+[\s\S]*npm \d+[\s\S]*\n {2}fix: {6}npm install/,
    );
    const doctor = await bare.depthwire('doctor', '--port', '0');
    expect(doctor.out).toMatch(
      new RegExp(`fail +addon +.*${platform.name}.*\\n +fix: npm install --include=optional`),
    );
    await bare.npm('install', '--include=optional');
    expect((await bare.depthwire('venues')).code).toBe(0);
  }, 120_000);

  it('says that the lock was written on another platform', async () => {
    const other = project();
    await other.npm('install', '--omit=optional', 'depthwire');
    // As npm before 11.3 writes it elsewhere: only that platform's package is in the lock.
    const lock = JSON.parse(readFileSync(other.path('package-lock.json'), 'utf8')) as {
      readonly packages: Record<string, unknown>;
    };
    const own = `node_modules/${platform.name}`;
    lock.packages['node_modules/depthwire-sunos-sparc'] = lock.packages[own];
    delete lock.packages[own];
    other.write('package-lock.json', JSON.stringify(lock));
    const command = await other.depthwire('venues');
    expect(command.err).toContain('names only depthwire-sunos-sparc (npm/cli #4828)');
    expect(command.err).toContain('rm -rf node_modules package-lock.json && npm install');
  }, 120_000);
});
