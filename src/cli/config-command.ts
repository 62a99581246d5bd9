import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { exposureOf } from '../config/exposure.js';
import { tellable } from '../config/faults.js';
import { CONFIG_FILE } from '../config/file.js';
import { initialConfig } from '../config/init.js';
import type { Layered } from '../config/layers.js';
import { configReference } from '../config/reference.js';
import { fileJsonSchema } from '../config/settings.js';
import { codeOf, DepthwireError } from '../errors.js';
import { StoredFile } from '../ingest/stored-file.js';
import { keySetOf } from '../publish/auth/key-set.js';
import { keySetFile } from '../publish/auth/key-source.js';
import { readCertificate } from '../publish/transport/certificate.js';
import { configOf, withConfigOptions } from './config-options.js';
import { wantedSources } from './live-sources.js';
import type { Shell } from './shell.js';

/** `depthwire config init | check | schema`. */
export function addConfigCommand(program: Command, shell: Shell): void {
  const config = program.command('config').description('write, check and describe a configuration file');
  config
    .command('init')
    .description('write a file with every key, its meaning and its default')
    .argument('[file]', 'where to', CONFIG_FILE)
    .option('--force', 'over a file that is there')
    .action(async (file: string, { force }: { readonly force?: true }) => {
      write(file, resolve(shell.folder, file), force === true);
      await shell.stdout.write(
        `${file} is written; depthwire config check reads it, depthwire serve uses it\n`,
      );
    });
  withConfigOptions(
    config.command('check').description('check what depthwire serve would be configured with'),
  ).action(async (sources: readonly string[], _flags: object, command: Command) => {
    const layered = configOf(sources, command, shell);
    await checkFiles(layered, shell);
    await shell.stdout.write(checkedText(layered));
  });
  config
    .command('schema')
    .description('print the JSON Schema of the file, for editors')
    .option('--markdown', 'as docs/configuration.md')
    .action(async ({ markdown }: { readonly markdown?: true }) => {
      const text = markdown ? configReference() : `${JSON.stringify(fileJsonSchema(), null, 2)}\n`;
      await shell.stdout.write(text);
    });
}

function write(file: string, full: string, force: boolean): void {
  try {
    writeFileSync(full, initialConfig(), { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    const isThere = codeOf(cause) === 'EEXIST';
    throw new DepthwireError(isThere ? 'config.file_exists' : 'config.file_unwritable', {
      what: isThere ? 'there is such a file already' : 'the file cannot be written',
      where: file,
      expected: isThere ? 'a name that is free' : 'a folder that can be written to',
      got: codeOf(cause),
      fix: isThere ? 'Name another file, or add --force to write over it.' : 'Name a file in another folder.',
      cause,
    });
  }
}

/**
 * Reads what `depthwire serve` would read before it opens anything: authorities, keys of accounts and of tokens, the certificate, recordings. Throws
 * `config.ca_file`, `live.keys`, `serve.certificate`, `auth.key_set*`, `recording.*`.
 */
export async function checkFiles({ config }: Layered, { env }: Shell): Promise<void> {
  wantedSources(config, env);
  if (config.tls !== undefined) readCertificate(config.tls);
  const { jwksFile, algorithms = [] } = config.auth ?? {};
  if (jwksFile !== undefined) keySetOf(await keySetFile(jwksFile)(), jwksFile, algorithms);
  for (const path of config.replay?.files ?? []) await (await StoredFile.open(path)).close();
}

/** Every key that was given, its value and where: the rest are defaults. Then how open the server would be. */
function checkedText({ path, given, config }: Layered): string {
  const lines = given.map(
    ({ key, value, origin }) => `  ${key} = ${tellable(key, JSON.stringify(value))}  (${origin})`,
  );
  const head = `${path ?? 'no file'}: nothing wrong, ${given.length === 1 ? '1 key' : `${given.length} keys`} given`;
  const exposure = exposureOf(config);
  return [head, ...lines, ...(exposure === undefined ? [] : [exposure]), ''].join('\n');
}
