// @ts-check
/** The folder of a run: records, certificates, keys. It goes with the process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const folder = mkdtempSync(path.join(tmpdir(), 'depthwire-feed-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
