import { readFileSync } from 'node:fs';
import type { Layered } from '../../config/layers.js';
import { descriptorsMax } from '../../publish/process-sample.js';
import { textTable } from '../text-table.js';
import { type Check, ok } from './check.js';
import { checkAddon, checkTransport } from './loading.js';
import {
  checkClock,
  checkDescriptors,
  checkLibc,
  checkMemory,
  checkNode,
  checkProcessors,
  sampleClock,
  thisMachine,
} from './machine.js';
import {
  certificateFiles,
  checkCertificates,
  checkPort,
  descriptorsNeeded,
  memoryNeeded,
  refused,
} from './serving.js';

/** How the configuration is had, and its keys and files looked at. Both throw what is wrong. */
export interface ConfigReader {
  readonly read: () => Layered;
  readonly checkFiles: (layered: Layered) => Promise<void>;
}

/** Looks at all that a server needs, one thing after the other. Never throws. Takes about a second at most. */
export async function examine({ read, checkFiles }: ConfigReader): Promise<readonly Check[]> {
  const { engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
    readonly engines: { readonly node: string };
  };
  const machine = thisMachine(engines.node);
  const checks = [checkNode(machine), checkLibc(machine), await checkAddon()];
  let layered: Layered | undefined;
  try {
    layered = read();
    checks.push(ok('configuration', `${layered.path ?? 'no file'}, ${layered.given.length} keys given`));
  } catch (error) {
    checks.push(refused('configuration', error));
  }
  const server = layered?.config.server;
  checks.push(await checkTransport(server?.transport ?? 'auto', server?.gateways));
  checks.push(checkClock(machine, await sampleClock()), checkProcessors(machine));
  if (layered === undefined) return checks;
  const { config } = layered;
  checks.push(checkMemory(machine, memoryNeeded(config)));
  checks.push(checkDescriptors(descriptorsMax(), descriptorsNeeded(config)));
  checks.push(await checkPort(config));
  for (const file of certificateFiles(config)) checks.push(checkCertificates(file, Date.now()));
  try {
    await checkFiles(layered);
    checks.push(ok('keys and files', 'all that the configuration names can be read'));
  } catch (error) {
    checks.push(refused('keys and files', error));
  }
  return checks;
}

/** For people: a line each, and how to mend what is wrong below it. */
export function examinedText(checks: readonly Check[]): string {
  const lines = textTable(checks.map(({ name, verdict, found }) => [verdict, name, found])).split('\n');
  const parts = checks.map(({ fix }, at) => `${lines[at]}\n${fix === '' ? '' : `      fix: ${fix}\n`}`);
  const count = (verdict: Check['verdict']): number =>
    checks.filter((check) => check.verdict === verdict).length;
  const [fails, warns] = [count('fail'), count('warn')];
  const end = fails > 0 ? 'it cannot serve as it is' : warns > 0 ? 'it serves, see above' : 'all is well';
  return `${parts.join('')}${fails} wrong, ${warns} to look at: ${end}\n`;
}
