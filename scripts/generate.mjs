// Generates the feed's Rust and TypeScript code from crates/core/schema/feed.fbs, and the constants of TypeScript from
// what the core prints (crates/core/examples/constants.rs), and records the simulator for the README's commands.
//
//   node scripts/generate.mjs           builds the schema compiler if needed and writes the files
//   node scripts/generate.mjs --check   compares the recorded hashes; where cargo and the compiler build, generates again
//                                       and compares bytes. Writes nothing. Exit 1 with a fix line on a difference.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { checkedProfile, checkedTarget, root, testedPackages } from './sources.mjs';

const schema = 'crates/core/schema/feed.fbs';
const hashFile = 'crates/core/schema/generated.sha256';
const outputs = [
  { language: 'rust', folder: 'crates/core/src/encode/generated' },
  { language: 'ts', folder: 'src/wire/generated' },
];
/** Printed by the core: numbers and words that both languages use. It imports nothing. */
const constants = 'src/wire/generated/constants.ts';
/** A recording of the simulated venue that the package ships: symbol, seed, milliseconds. */
const recording = { file: 'examples/sim-btcusdt.txt.gz', of: ['BTCUSDT', '7', '40000'] };
const compiler = join(
  root,
  'target/flatc/release',
  process.platform === 'win32' ? 'depthwire-flatc.exe' : 'depthwire-flatc',
);
const fix = 'fix: run `npm run generate` and commit what it writes';

class Failure extends Error {
  constructor(what, fixLine) {
    super(what);
    this.fixLine = fixLine;
  }
}

/** Every file below a folder of the repository, as sorted paths with forward slashes. */
function filesBelow(base, folder) {
  if (!existsSync(join(base, folder))) return [];
  return readdirSync(join(base, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(base, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

const generatedFiles = (base) => outputs.flatMap(({ folder }) => filesBelow(base, folder));

const sha256 = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** The lines of the hash file, which `sha256sum -c` reads too: the schema, then every output. */
function hashLines() {
  return [schema, ...generatedFiles(root)].map((path) => `${sha256(join(root, path))}  ${path}`);
}

const runs = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** Why the compiler cannot be built here, or undefined. */
function missingTool() {
  if (!runs('cmake')) return 'cmake is missing';
  const cxx = process.env.CXX;
  if (process.platform !== 'win32' && ![cxx, 'c++', 'g++', 'clang++'].some((name) => name && runs(name))) {
    return 'a C++ compiler is missing';
  }
  return undefined;
}

/** Builds the compiler into its own cached target folder; cargo does nothing when it is current. */
function buildCompiler(quiet) {
  const built = spawnSync('cargo', ['build', '--release', '--locked', ...(quiet ? ['--quiet'] : [])], {
    cwd: join(root, 'crates/core/schema/flatc'),
    env: {
      ...process.env,
      CARGO_TARGET_DIR: join(root, 'target/flatc'),
      CMAKE_TOOLCHAIN_FILE: join(root, 'crates/core/schema/flatc/flatc-only.cmake'),
    },
    stdio: quiet ? ['ignore', 'ignore', 'pipe'] : 'inherit',
    encoding: 'utf8',
  });
  return built.status === 0 ? undefined : (built.stderr?.trim().split('\n')[0] ?? 'see the lines above');
}

/** What an example prints, which is built as the Rust tests are: they build it too. */
function printed(example, ...args) {
  const build = ['build', '--quiet', '--locked', ...checkedProfile, ...testedPackages, '--example', example];
  const built = spawnSync('cargo', build, { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) fail(`${example} does not build`, 'fix: see the lines above');
  const ran = spawnSync(join(checkedTarget, 'examples', example), args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 16 << 20,
  });
  if (ran.status !== 0) fail(`${example} does not print`, 'fix: see the lines above');
  return ran.stdout;
}

/** The module of constants, as the core prints it. */
const printConstants = () => printed('constants');

/** The recording, as the simulator makes it: the same bytes on every machine. */
const printRecording = () => printed('record', ...recording.of);

/** The committed recording, unpacked; empty where there is none. */
function unpackedRecording() {
  const file = join(root, recording.file);
  return existsSync(file) ? gunzipSync(readFileSync(file)).toString('utf8') : '';
}

/** Writes what the schema compiler makes below `base`, in place of all that is there. */
function generateInto(base) {
  const folders = outputs.map(({ folder }) => join(base, folder));
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }
  const ran = spawnSync(compiler, [join(root, schema), ...folders], { stdio: 'inherit' });
  if (ran.status !== 0) fail('the schema compiler refused the schema', `fix: correct ${schema}`);
  for (const path of generatedFiles(base)) {
    const text = readFileSync(join(base, path), 'utf8');
    if (!/generated/.test(text.slice(0, 200))) {
      writeFileSync(join(base, path), `// generated from ${schema}, do not edit\n${text}`);
    }
  }
}

/** Ends the run; thrown, so that temporary folders are removed on the way out. */
function fail(what, fixLine) {
  throw new Failure(what, fixLine);
}

/** The AsyncAPI document of the feed, as the server's own messages make it. A test compares it, so `--check` does not. */
async function writeDocument() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const built = spawnSync(process.execPath, [tsc, '--project', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (built.status !== 0) fail('the server does not build', 'fix: see the lines above, after npm ci');
  const load = (path) => import(pathToFileURL(join(root, 'dist', path)).href);
  const [{ asyncApi }, { VERSION }] = await Promise.all([load('publish/asyncapi.js'), load('version.js')]);
  writeFileSync(join(root, 'docs/asyncapi.json'), `${JSON.stringify(asyncApi(VERSION), null, 2)}\n`);
}

async function generate() {
  if (!runs('cargo')) fail('cargo is missing', 'fix: install Rust from https://rustup.rs');
  const missing = missingTool();
  if (missing) fail(missing, 'fix: install cmake and a C++ compiler (Debian: apt-get install cmake g++)');
  const broken = buildCompiler(false);
  if (broken) fail(`the schema compiler did not build: ${broken}`, 'fix: see the compiler output above');
  generateInto(root);
  writeFileSync(join(root, constants), printConstants());
  const recorded = printRecording();
  // Packing depends on the version of zlib: what is packed already stays as it is.
  if (unpackedRecording() !== recorded) {
    mkdirSync(dirname(join(root, recording.file)), { recursive: true });
    writeFileSync(join(root, recording.file), gzipSync(recorded, { level: 9 }));
  }
  await writeDocument();
  const lines = hashLines();
  writeFileSync(join(root, hashFile), `${lines.join('\n')}\n`);
  console.log(`generate: wrote ${lines.length - 1} files and ${hashFile}`);
}

function check() {
  const recorded = existsSync(join(root, hashFile))
    ? readFileSync(join(root, hashFile), 'utf8').trim().split('\n')
    : [];
  const current = hashLines();
  const changed = [
    ...current.filter((line) => !recorded.includes(line)),
    ...recorded.filter((line) => !current.includes(line)),
  ];
  if (changed.length > 0) {
    const paths = [...new Set(changed.map((line) => line.slice(66)))];
    fail(`not what ${hashFile} records: ${paths.join(', ')}`, fix);
  }
  if (!runs('cargo')) {
    console.log(`generate: ${current.length} hashes match; not generated again, because cargo is missing`);
    return;
  }
  const stated = printConstants();
  if (stated !== readFileSync(join(root, constants), 'utf8')) {
    fail(`the core states other constants than ${constants}`, fix);
  }
  if (printRecording() !== unpackedRecording()) fail(`the simulator records another ${recording.file}`, fix);
  const obstacle = missingTool() ?? buildCompiler(true);
  if (obstacle) {
    console.log(
      `generate: ${current.length} hashes match, constants are the core's; the schema not generated again, because ${obstacle}`,
    );
    return;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'depthwire-generate-'));
  try {
    generateInto(scratch);
    writeFileSync(join(scratch, constants), stated);
    const paths = new Set([...generatedFiles(root), ...generatedFiles(scratch)]);
    const different = [...paths].filter(
      (path) =>
        !existsSync(join(root, path)) ||
        !existsSync(join(scratch, path)) ||
        sha256(join(root, path)) !== sha256(join(scratch, path)),
    );
    if (different.length > 0) fail(`the schema makes other files than these: ${different.join(', ')}`, fix);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  console.log(`generate: ${current.length} hashes match; generated again with the same bytes`);
}

const argument = process.argv[2];
if (argument !== undefined && argument !== '--check') {
  console.error(`usage: node scripts/generate.mjs [--check], got ${argument}`);
  process.exit(2);
}
try {
  if (argument === '--check') check();
  else await generate();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(`generate: ${error.message}`);
  console.error(error.fixLine);
  process.exitCode = 1;
}
