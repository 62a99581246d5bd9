/**
 * A worker that overwrites shared memory as fast as it can: at each of `places` one of its `variants`, until `control[0]` is 1.
 */
import { parentPort, workerData } from 'node:worker_threads';

const { memories, control } = workerData;
parentPort.postMessage('ready');
let state = 1;
while (Atomics.load(control, 0) === 0) {
  for (let round = 0; round < 1_000; round += 1) {
    for (const { bytes, places, variants } of memories) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      bytes[places[(state >>> 8) % places.length]] = variants[(state >>> 20) % variants.length];
    }
  }
  Atomics.add(control, 1, 1);
}
parentPort.postMessage('done');
