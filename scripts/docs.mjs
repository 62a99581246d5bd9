// Builds the site of the documentation: the pages of docs/, the README, the map, the changelog, and a reference of what the
// package exports, from its types. Needs no network and loads nothing from elsewhere when it is read.
//
//   node scripts/docs.mjs [FOLDER]      default: .build/site. Exit 1 where a link leads nowhere or a page is wrong.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, Converter, ReflectionKind } from 'typedoc';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = resolve(process.argv[2] ?? join(root, '.build/site'));
/** Pages that are cut out of other files. */
const cut = join(root, '.build/site-pages');

/** Pages in the order in which somebody new reads them; all others follow by name. */
const ORDER = [
  'docs/guides/subscribe.md',
  'docs/guides/embed.md',
  'docs/guides/replay.md',
  'docs/guides/query.md',
  'docs/guides/option-chain.md',
  'docs/watch.md',
  'docs/bench.md',
  'docs/adding-a-venue.md',
  'docs/protocol.md',
  'docs/configuration.md',
  '.build/site-pages/limits.md',
  'docs/security.md',
  'docs/operations.md',
  'docs/venues.md',
  'docs/fake-venue.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
];

/** @param {string} folder @returns {string[]} */
function markdownBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return markdownBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** A section of a file as a page of its own. @param {string} file @param {string} heading */
function section(file, heading) {
  const text = readFileSync(join(root, file), 'utf8');
  const from = text.indexOf(`\n## ${heading}\n`);
  if (from < 0)
    throw new Error(`${file} has no section "${heading}"; fix: name it in scripts/docs.mjs as it is`);
  const to = text.indexOf('\n## ', from + 1);
  return text.slice(from + 1, to < 0 ? undefined : to).replace(/^## /, '# ');
}

/** What `package.json` exports with types, and the source of each: `depthwire/client` → `src/wire/index.ts`. */
function entries() {
  const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return Object.entries(exports).flatMap(([path, { types }]) =>
    typeof types === 'string'
      ? [{ name: name + path.slice(1), file: types.replace('./dist/', 'src/').replace(/\.d\.ts$/, '.ts') }]
      : [],
  );
}

rmSync(out, { recursive: true, force: true });
mkdirSync(cut, { recursive: true });
writeFileSync(join(cut, 'site.css'), '.tsd-typography table { display: block; overflow-x: auto; }\n');
writeFileSync(join(cut, 'limits.md'), section('ARCHITECTURE.md', 'Limits and what happens at them'));

const pages = [...ORDER, ...markdownBelow('docs').filter((path) => !ORDER.includes(path))];
const modules = new Map(entries().map(({ name, file }) => [join(root, file), name]));

const app = await Application.bootstrap({
  name: 'depthwire',
  entryPoints: [...modules.keys()],
  tsconfig: join(root, 'tsconfig.build.json'),
  readme: join(root, 'README.md'),
  projectDocuments: pages.map((path) => join(root, path)),
  out,
  customCss: join(cut, 'site.css'),
  alwaysCreateEntryPointModule: true,
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeProtected: true,
  hideGenerator: true,
  githubPages: false,
  navigation: { includeGroups: false },
  sortEntryPoints: false,
  headings: { readme: false, document: false },
  // Names such as Binance.US are no addresses.
  markdownItOptions: { html: true, linkify: false },
  highlightLanguages: ['typescript', 'javascript', 'json', 'toml', 'shellscript', 'rust', 'python', 'go'],
  // Types that a public one only mentions are shown where they are mentioned.
  validation: {
    notExported: false,
    notDocumented: true,
    invalidLink: true,
    invalidPath: true,
    rewrittenLink: true,
  },
  requiredToBeDocumented: ['Class', 'Interface', 'TypeAlias'],
  treatWarningsAsErrors: true,
  logLevel: 'Warn',
});

app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
  const [first] = document.content;
  const title = /^# (.*)\n/.exec(first?.text ?? '');
  if (title !== null) document.name = title[1].replaceAll('`', '');
});
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  for (const module of project.getChildrenByKind(ReflectionKind.Module)) {
    const file = project.getSymbolIdFromReflection(module)?.fileName;
    module.name = modules.get(file ?? '') ?? module.name;
  }
});

const project = await app.convert();
if (project !== undefined) {
  app.validate(project);
  await app.generateOutputs(project);
}
if (project === undefined || app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
console.log(`the site is in ${relative(process.cwd(), out) || out}: open index.html`);
