import type { Command } from 'commander';
import { type Config, configFrom } from '../config.js';
import { DepthwireError } from '../errors.js';
import { loadSite } from '../publish/site.js';
import { configOf, withConfigOptions } from './config-options.js';
import { openLog } from './open-log.js';
import { recordText } from './recording.js';
import { startServing } from './serve.js';
import { PAGE_FOLDER } from './serve-command.js';
import type { Shell } from './shell.js';

const PROGRESS_MS = 5000;
const CLOSE_MS_MAX = 2000;
/** Where nothing else is said. */
const FOLDER = 'journal';

interface Flags {
  readonly seconds?: string;
}

/** `depthwire record`: as `serve`, for the sake of what is recorded. */
export function addRecordCommand(program: Command, shell: Shell): void {
  const command = program
    .command('record')
    .description(
      'record live sources, or the embedded venue, as a journal that verify proves and serve --replay tells again',
    )
    .option('--seconds <n>', 'end after so long; without it Ctrl-C ends it');
  withConfigOptions(command).action((sources: readonly string[]) => record(sources, command, shell));
}

async function record(sources: readonly string[], command: Command, shell: Shell): Promise<void> {
  const { signal, env, endWithin } = shell;
  const seconds = secondsOf(command.opts<Flags>());
  const layered = configOf(sources, command, shell);
  const config = recorded(layered.config, command.getOptionValueSource('port') !== undefined);
  endWithin(config.server.unreadyMs + config.server.drainMs + CLOSE_MS_MAX);
  const { log, flush } = await openLog(config.log, shell);
  const serving = await startServing(config, loadSite(PAGE_FOLDER), log, env);
  const { url, name } = serving;
  const folder = config.record?.folder ?? FOLDER;
  log.say(
    'info',
    'recording',
    [`records  ${name}`, `folder   ${folder}`, `health   ${url}health`, 'stop     Ctrl-C'].join('\n'),
    { name, folder, url },
  );
  const progress = setInterval(() => {
    const status = serving.server.record();
    if (status !== null) log.say('info', 'record.progress', `record   ${recordText(status)}`, { ...status });
  }, PROGRESS_MS);
  await new Promise<void>((resolve) => {
    const timer = seconds === undefined ? undefined : setTimeout(resolve, seconds * 1000);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  clearInterval(progress);
  await serving.stop('the record ends');
  log.say('info', 'record.next', `next     depthwire verify ${folder}; depthwire serve --replay ${folder}`);
  await flush();
}

/** The configuration with a folder, and with a port that is free where none was named: a server may be running. */
function recorded(config: Config, hasPort: boolean): Config {
  return configFrom({
    ...config,
    server: { ...config.server, port: hasPort ? config.server.port : 0 },
    record: config.record ?? { folder: FOLDER },
  });
}

function secondsOf({ seconds }: Flags): number | undefined {
  if (seconds === undefined) return undefined;
  const value = Number(seconds);
  if (value > 0 && value <= 10_000_000) return value;
  throw new DepthwireError('record.seconds', {
    what: 'no such time to record for',
    where: '--seconds',
    expected: 'a number above 0 and at most 10000000',
    got: seconds,
    fix: 'Give seconds, or leave it out and end it with Ctrl-C.',
  });
}
