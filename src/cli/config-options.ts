import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { CONFIG_FILE } from '../config/file.js';
import { type Layered, layeredConfig } from '../config/layers.js';
import { CONFIG_ENV, SETTINGS, type Setting, SOURCE_SETTINGS } from '../config/settings.js';

/** What `--instrument` takes. */
export const INSTRUMENT_HELP =
  'venue:SYMBOL[,tick=0.25,lot=0.001]: which one it is, and the steps of its prices and quantities; venue:* is all of a product';

/** Where a command looks for a configuration. */
export interface ConfigPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working folder. */
  readonly folder: string;
}

const CONFIG_HELP = `configuration (default: ${CONFIG_FILE} in the working folder, if it is there)`;

/** Gives a command the arguments and flags of a configuration. */
export function withConfigOptions(command: Command): Command {
  command
    .argument('[source...]', "what to serve live, as in kraken:BTC/USD 'binance:BTC*'")
    .option('--config <file>', CONFIG_HELP)
    .addOption(new Option('--instrument <name>', INSTRUMENT_HELP).argParser(collected).default([]));
  for (const setting of SETTINGS) command.addOption(optionOf(setting, `${setting.path[0]}:`));
  for (const setting of SOURCE_SETTINGS) command.addOption(sourceOptionOf(setting));
  return command;
}

function optionOf(setting: Setting, group: string): Option {
  const { flag, schema } = setting;
  const isList = schema.type === 'array';
  const form =
    schema.type === 'boolean' ? '[true]' : flag === 'replay' ? '<file...>' : isList ? '<name>' : '<value>';
  const option = new Option(`--${flag} ${form}`, help(setting)).helpGroup(group);
  if (schema.type === 'boolean') return option.preset('true');
  return isList && flag !== 'replay' ? option.argParser(collected) : option;
}

function sourceOptionOf(setting: Setting): Option {
  return new Option(`--${setting.flag} <[source=]value>`, help(setting))
    .helpGroup('sources, each [SOURCE=]VALUE:')
    .argParser(collected);
}

function help({ schema, env }: Setting): string {
  const { description = '', default: value } = schema;
  const isTold = value !== undefined && typeof value !== 'object' && value !== false;
  return `${description}${isTold ? ` (default: ${String(value)})` : ''} [${env}]`;
}

function collected(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** Flags of a source that say how its venue is reached. */
export const WAY_FLAGS: readonly string[] = ['proxy', 'ca-file', 'url'];

/** Gives a command the flags that say how lists of instruments are had and kept. */
export function withCatalogueOptions(command: Command): Command {
  command.option('--config <file>', CONFIG_HELP);
  for (const setting of SETTINGS)
    if (setting.path[0] === 'catalogue') command.addOption(optionOf(setting, 'catalogue:'));
  for (const setting of SOURCE_SETTINGS)
    if (WAY_FLAGS.includes(setting.flag)) command.addOption(sourceOptionOf(setting));
  return command;
}

/** Reads the configuration that a command was given. Throws `config.*`. */
export function configOf(
  sources: readonly string[],
  command: Command,
  { env, folder }: ConfigPlace,
): Layered {
  const options: Readonly<Record<string, unknown>> = command.opts();
  const texts: Record<string, readonly string[]> = {};
  for (const { flag } of [...SETTINGS, ...SOURCE_SETTINGS]) {
    const value = options[new Option(`--${flag}`).attributeName()];
    if (value !== undefined) texts[flag] = [value].flat().map(String);
  }
  const instruments = [options.instrument ?? []].flat().map(String);
  const path = pathOf(options.config ?? env[CONFIG_ENV], folder);
  return layeredConfig({ path, folder, env, flags: { texts, sources, instruments } });
}

function pathOf(named: unknown, folder: string): string | undefined {
  if (typeof named === 'string') return named;
  return existsSync(join(folder, CONFIG_FILE)) ? CONFIG_FILE : undefined;
}
