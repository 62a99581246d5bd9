// @ts-check
/**
 * Loads the addon: `#native`. It is looked for in this order: the file that `NAPI_RS_NATIVE_LIBRARY_PATH` names, the file
 * that `npm run build` writes beside this one, the package for this platform. All in one turn, so that `require` of this
 * package works where Node can require modules. What it throws says why there is no addon, and what to do.
 */
import { createRequire } from 'node:module';
import { notLoaded } from './not-loaded.js';
import { suffixOf, thisPlatform } from './platform.js';

const require = createRequire(import.meta.url);

/** @returns {typeof import('./binding.js')} */
function load() {
  const named = process.env.NAPI_RS_NATIVE_LIBRARY_PATH || undefined;
  const here = thisPlatform();
  const suffix = suffixOf(here);
  const installed = suffix === undefined ? [] : [`./depthwire.${suffix}.node`, `depthwire-${suffix}`];
  const places = named === undefined ? installed : [named];
  /** @type {Error[]} */
  const causes = [];
  for (const place of places) {
    try {
      return require(place);
    } catch (error) {
      causes.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  throw notLoaded({ here, suffix, named, causes });
}

// A name that the addon exports and this list lacks is found by test/addon.test.ts.
export const {
  Dialect,
  Engine,
  FrameJournal,
  Inflate,
  JournalConversion,
  JournalMerge,
  JournalSlice,
  Measurement,
  Race,
  RecordingContents,
  RecordingInspection,
  Replica,
  ReplicaThread,
  Simulator,
  Unzstd,
  clockNowNs,
  dialects,
  endWithSignals,
  instrumentName,
  instrumentPage,
  keepOffGenerator,
  makeSharedMemory,
  mapSharedMemory,
  timelineOf,
  venues,
} = load();
