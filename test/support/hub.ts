import { type ConfigInput, configFrom } from '../../src/config.js';
import { Backlog } from '../../src/publish/backlog.js';
import { Fanout } from '../../src/publish/fanout.js';
import { LocalEngine } from '../../src/publish/feed-engine.js';
import type { Hub } from '../../src/publish/hub.js';
import { Metrics } from '../../src/publish/metrics.js';
import { type FakeNative, fakeEngine } from './fake-engine.js';

/** What subscribers share, over a fake engine and without a transport. */
export function hubOver(native: FakeNative, input: ConfigInput = {}): Hub {
  const { limits, server } = configFrom(input);
  return {
    engine: new LocalEngine(fakeEngine({}, native), limits.imageBytesMax),
    fanout: new Fanout({ publish() {} }),
    backlog: new Backlog(
      new Set(),
      limits,
      () => 0,
      () => {},
    ),
    wishing: new Set(),
    metrics: new Metrics(),
    limits,
    heartbeatMs: server.heartbeatMs,
    instruments: new Map(native.catalogue.map((one) => [one.name, one])),
    version: '0',
    isReplay: false,
  };
}
