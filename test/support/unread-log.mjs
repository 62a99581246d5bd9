// Says more on standard output than a pipe holds, and then on standard error that it went on, and what was dropped.
import { logStream } from '../../dist/cli/log-stream.js';

const stream = logStream(1, () => {});
for (let at = 0; at < 40_000; at++) stream.write(`${'x'.repeat(99)}\n`);
setTimeout(async () => {
  const dropped = stream.dropped();
  await stream.flush();
  process.stderr.write(JSON.stringify({ dropped }), () => process.kill(process.pid, 'SIGKILL'));
}, 50);
