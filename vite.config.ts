import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Builds the page to `dist/web`; the server sends it from its own origin, under any path. */
export default defineConfig({
  root: fileURLToPath(new URL('./src/web', import.meta.url)),
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('./dist/web', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy allows no data: address, so nothing is inlined.
    assetsInlineLimit: 0,
    // Of what is in the bundle; it is not served.
    license: { fileName: 'licences.md' },
  },
});
