import { type ConfigInput, configFrom } from '../../src/config.js';
import { Backlog } from '../../src/publish/backlog.js';
import { CatchUps } from '../../src/publish/catch-up.js';
import { Fanout } from '../../src/publish/fanout.js';
import type { Hub } from '../../src/publish/hub.js';
import { Images } from '../../src/publish/images.js';
import { Metrics } from '../../src/publish/metrics.js';
import { type FakeNative, fakeEngine } from './fake-engine.js';

/** What subscribers share, over a fake engine and without a transport. */
export function hubOver(native: FakeNative, input: ConfigInput = {}): Hub {
  const { limits, server } = configFrom(input);
  const engine = fakeEngine({}, native);
  const images = new Images(engine, limits.imageBytesMax);
  return {
    engine,
    images,
    catchUps: new CatchUps(engine, images, limits.imageBytesMax),
    fanout: new Fanout({ publish() {} }),
    backlog: new Backlog(new Set(), limits, () => 0),
    metrics: new Metrics(),
    limits,
    heartbeatMs: server.heartbeatMs,
    instruments: new Map(native.catalogue.map((one) => [one.name, one])),
    version: '0',
  };
}
