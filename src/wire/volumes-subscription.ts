import type { Topic } from './control.js';
import { KeptSubscription } from './kept-subscription.js';
import { LocalVolumes } from './local-volumes.js';
import type { Backoff } from './resync.js';
import type { Host, SubscriptionOptions } from './subscription.js';

/** What volumes take. */
export interface VolumesOptions extends SubscriptionOptions {
  /** Least time between two changes, ms; default 100, 0 = every trade. */
  readonly intervalMs?: number;
  /** Width of a price bucket as a decimal, such as `0.5`; default: prices as they are. */
  readonly grouping?: string;
}

/** What has traded at prices. A loop over it yields the live rows. */
export class VolumesSubscription extends KeptSubscription<LocalVolumes, LocalVolumes> {
  readonly volumes: LocalVolumes;

  /** @internal */
  constructor(host: Host, topic: Topic, options: SubscriptionOptions, backoff: Backoff) {
    const volumes = new LocalVolumes();
    super(host, topic, options, backoff, volumes);
    this.volumes = volumes;
  }

  protected get item(): LocalVolumes {
    return this.volumes;
  }
}
