// A process that never comes back from one callback once it has said so.
import { endWithSignals } from '#native';

process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
endWithSignals(60_000);
endWithSignals(Number(process.argv[2]));
setTimeout(() => {
  process.stdout.write('busy\n', () => {
    for (;;);
  });
}, 0);
