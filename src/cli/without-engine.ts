import { Command, CommanderError } from 'commander';
import { DepthwireError, explain, isExplained } from '../errors.js';
import { addDoctorCommand } from './doctor-command.js';
import { EXIT, type Shell } from './shell.js';

/** What is left to do where the engine does not load: to say why. Never throws. */
export async function runWithoutEngine(
  args: readonly string[],
  shell: Shell,
  cause: unknown,
): Promise<number> {
  if (args[0] !== 'doctor') {
    await shell.stderr.write(`${explain(isExplained(cause) ? cause : broken(cause))}\n`);
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

/** What is told where it is not the addon that does not load. */
function broken(cause: unknown): DepthwireError {
  return new DepthwireError('addon.not_loaded', {
    what: 'the engine does not load',
    where: 'dist',
    expected: 'a whole installation',
    got: explain(cause).split('\n')[0]?.slice(0, 300) ?? '',
    fix: 'Install depthwire anew; depthwire doctor says what this machine lacks.',
    cause,
  });
}
