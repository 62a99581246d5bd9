import { type Command, InvalidArgumentError } from 'commander';
import { configOf, withConfigOptions } from './config-options.js';
import { EXIT, type Shell } from './shell.js';

interface DoctorFlags {
  readonly output: 'text' | 'json';
}

/**
 * `depthwire doctor`, with the configuration that `depthwire serve` would have. `done` takes the exit code. What needs the
 * engine is loaded when it is asked for: that the engine does not load is one of the things that are looked at.
 */
export function addDoctorCommand(program: Command, shell: Shell, done: (code: number) => void): void {
  const command = program
    .command('doctor')
    .description('look at all that depthwire serve needs of this machine, and say how to mend what is wrong')
    .option('-o, --output <format>', 'text or json', output, 'text');
  withConfigOptions(command).action(async (sources: readonly string[], flags: DoctorFlags) => {
    const { examine, examinedText } = await import('./doctor/doctor.js');
    const checks = await examine({
      read: () => configOf(sources, command, shell),
      checkFiles: async (layered) => (await import('./config-command.js')).checkFiles(layered, shell),
    });
    const isWell = checks.every(({ verdict }) => verdict !== 'fail');
    const json = (): string => `${JSON.stringify({ ok: isWell, checks }, null, 2)}\n`;
    await shell.stdout.write(flags.output === 'json' ? json() : examinedText(checks));
    done(isWell ? EXIT.ok : EXIT.failed);
  });
}

function output(text: string): DoctorFlags['output'] {
  if (text === 'text' || text === 'json') return text;
  throw new InvalidArgumentError('Use text or json.');
}
