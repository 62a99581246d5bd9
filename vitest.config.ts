import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Tests that reach a venue over the network are run by hand.
    exclude: ['**/*.live.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
