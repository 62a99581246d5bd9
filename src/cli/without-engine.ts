import { Command, CommanderError } from 'commander';
import { DepthwireError, explain } from '../errors.js';
import { addDoctorCommand } from './doctor-command.js';
import { EXIT, type Shell } from './shell.js';

/** What is left to do where the engine does not load: to say why. Never throws. */
export async function runWithoutEngine(
  args: readonly string[],
  shell: Shell,
  cause: unknown,
): Promise<number> {
  if (args[0] !== 'doctor') {
    const error = new DepthwireError('addon.not_loaded', {
      what: 'the engine does not load',
      where: 'src/native',
      expected: 'an addon for this machine and this Node',
      got: explain(cause).split('\n')[0]?.slice(0, 300) ?? '',
      fix: 'Run npm run build; depthwire doctor says what this machine lacks.',
      cause,
    });
    await shell.stderr.write(`${explain(error)}\n`);
    return EXIT.failed;
  }
  let code: number = EXIT.ok;
  const program = new Command('depthwire').exitOverride();
  addDoctorCommand(program, shell, (of) => {
    code = of;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    await shell.stderr.write(`${explain(error)}\n`);
    return EXIT.failed;
  }
}
