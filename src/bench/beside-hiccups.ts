import { HiccupLog, type HiccupReport } from './measure.js';

/** Measures beside a log of the machine's hiccups, which ends with it, whatever comes of it. `seconds`: the most that it takes. */
export async function besideHiccups<Found>(
  seconds: number,
  measured: () => Promise<Found>,
): Promise<readonly [found: Found, hiccups: HiccupReport]> {
  const log = new HiccupLog(seconds);
  try {
    const found = await measured();
    return [found, await log.stop()];
  } finally {
    log.stop().catch(() => {});
  }
}
