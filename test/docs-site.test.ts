import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const BUILD_MS_MAX = 240_000;
const site = mkdtempSync(join(tmpdir(), 'depthwire-site-'));

beforeAll(async () => {
  await promisify(execFile)(process.execPath, [join(ROOT, 'scripts/docs.mjs'), site], { cwd: ROOT });
}, BUILD_MS_MAX);
afterAll(() => rmSync(site, { recursive: true }));

function below(folder: string, ending: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return below(path, ending);
    return entry.name.endsWith(ending) ? [path] : [];
  });
}

/** The values of attributes that lead somewhere, as they are written. */
function addresses(html: string, attributes: string): readonly string[] {
  return [...html.matchAll(new RegExp(`\\s(?:${attributes})="([^"]*)"`, 'g'))].map(([, text = '']) =>
    text.replaceAll('&amp;', '&').replaceAll('&#39;', "'"),
  );
}

const isOutside = (address: string): boolean => /^[a-z]+:/.test(address);

describe('the site of the documentation', () => {
  it('has every page of docs by its title, and a reference of every module that the package exports', () => {
    const titles = below(join(site, 'documents'), '.html').map(
      (path) => /<title>([^|<]*?)(?: \||<)/.exec(readFileSync(path, 'utf8'))?.[1],
    );
    const pages = below(join(ROOT, 'docs'), '.md').map((path) =>
      /^# (.*)$/m.exec(readFileSync(path, 'utf8'))?.[1]?.replaceAll('`', ''),
    );
    expect(titles).toEqual(expect.arrayContaining([...pages, 'Limits and what happens at them']));
    const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      exports: Readonly<Record<string, unknown>>;
    };
    const modules = Object.entries(exports).filter(
      ([, to]) => typeof to === 'object' && to !== null && 'types' in to,
    );
    expect(modules.length).toBeGreaterThanOrEqual(3);
    for (const [path] of modules) {
      const file = `depthwire${path.slice(1).replaceAll('/', '_')}.html`;
      expect(existsSync(join(site, 'modules', file)), file).toBe(true);
    }
  });

  it('has no link that leads nowhere', () => {
    const pages = new Map(below(site, '.html').map((path) => [path, readFileSync(path, 'utf8')]));
    const broken: string[] = [];
    for (const [page, html] of pages) {
      for (const address of addresses(html, 'href|src')) {
        if (isOutside(address)) continue;
        const [path = '', part = ''] = address.split('#');
        const target = path === '' ? page : resolve(dirname(page), decodeURIComponent(path));
        const isThere = existsSync(target) && statSync(target).isFile();
        const text = pages.get(target);
        if (
          !isThere ||
          (part !== '' && text !== undefined && !text.includes(`id="${decodeURIComponent(part)}"`))
        )
          broken.push(`${page.slice(site.length + 1)}: ${address}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('loads nothing from elsewhere', () => {
    for (const path of below(site, '.html')) {
      const html = readFileSync(path, 'utf8');
      expect(addresses(html, 'src').filter(isOutside)).toEqual([]);
      const sheets = [...html.matchAll(/<link[^>]*>/g)].flatMap(([tag]) => addresses(tag, 'href'));
      expect(sheets.filter(isOutside)).toEqual([]);
    }
    for (const path of below(join(site, 'assets'), '.css'))
      expect(readFileSync(path, 'utf8')).not.toMatch(/url\(\s*["']?https?:|@import/);
  });
});
