// @ts-check
/** What the addon is made of beside this project: its crates, with the texts of their licences. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './sources.mjs';
import { withCargoOnPath } from './tools.mjs';

/**
 * @typedef {object} Crate
 * @property {string} id
 * @property {string} name
 * @property {string} version
 * @property {string | null} license
 * @property {string | null} source null for crates of this project
 * @property {string} manifest_path
 * @property {readonly { kind: readonly string[] }[]} targets
 *
 * @typedef {object} Node
 * @property {string} id
 * @property {readonly { pkg: string, dep_kinds: readonly { kind: string | null }[] }[]} deps
 */

/**
 * The crates that are linked into the addon for a Rust target, as a page of Markdown. Crates that only compile others are
 * not in it.
 * @param {string} target
 */
export function licencesOfCrates(target) {
  const args = ['metadata', '--format-version', '1', '--locked', '--filter-platform', target];
  const ran = spawnSync('cargo', args, {
    cwd: root,
    env: withCargoOnPath(process.env),
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (ran.status !== 0) throw new Error(`cargo metadata: ${ran.stderr}`);
  /** @type {{ packages: readonly Crate[], resolve: { nodes: readonly Node[] } }} */
  const { packages, resolve } = JSON.parse(ran.stdout);
  const crates = new Map(packages.map((crate) => [crate.id, crate]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  /** @type {Set<Crate>} */
  const linked = new Set();
  /** @param {string} id */
  const visit = (id) => {
    const crate = crates.get(id);
    if (crate === undefined || linked.has(crate)) return;
    if (crate.targets.some(({ kind }) => kind.includes('proc-macro'))) return;
    linked.add(crate);
    for (const { pkg, dep_kinds } of nodes.get(id)?.deps ?? [])
      if (dep_kinds.some(({ kind }) => kind === null)) visit(pkg);
  };
  for (const { id, name } of packages) if (name === 'depthwire-node') visit(id);
  const others = [...linked]
    .filter(({ source }) => source !== null)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  /** Each text once, with the crates that bring it. @type {Map<string, { text: string, names: string[] }>} */
  const texts = new Map();
  for (const { name, version, manifest_path } of others) {
    for (const file of licenceFiles(path.dirname(manifest_path))) {
      const text = readFileSync(file, 'utf8').trim();
      const key = text.replaceAll(/\s+/g, ' ');
      const known = texts.get(key) ?? { text, names: [] };
      texts.set(key, known);
      if (!known.names.includes(`${name} ${version}`)) known.names.push(`${name} ${version}`);
    }
  }
  const list = others.map(
    ({ name, version, license }) => `* ${name} ${version}: ${license ?? 'see below'}\n`,
  );
  const parts = [...texts.values()].map(
    ({ text, names }) => `## ${names.join(', ')}\n\n\`\`\`text\n${text}\n\`\`\`\n`,
  );
  return `# Crates in the addon\n\n${list.join('')}\n${parts.join('\n')}`;
}

/**
 * Texts of licences, also of sources that a crate brings along, as zstd-sys does.
 * @param {string} folder
 * @returns {string[]}
 */
function licenceFiles(folder) {
  const isLicence = (/** @type {string} */ name) => /^(licen[cs]e|copying|notice|unlicense)/i.test(name);
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isFile()) return isLicence(entry.name) ? [file] : [];
    return readdirSync(file, { withFileTypes: true })
      .filter((inner) => inner.isFile() && isLicence(inner.name))
      .map((inner) => path.join(file, inner.name));
  });
}
