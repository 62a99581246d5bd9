import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take a minute or more of waiting: one that began last would run on alone. */
const LONG = [
  'page-bad-input',
  'gateways-suites',
  'connector-venues',
  'bench-command',
  'page-heatmap',
  'connector-limits',
  'addon-memory',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      LONG.some((name) => moduleId.endsWith(`/${name}.test.ts`));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests that reach a venue over the network are run by hand.
    exclude: ['**/*.live.test.ts'],
    // Most of a run is waiting: on two cores two files at a time take half of the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // The same of tests of one file that may run beside each other: they talk to venues of their own.
    maxConcurrency: 12,
    sequence: { sequencer: LongFirst },
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
