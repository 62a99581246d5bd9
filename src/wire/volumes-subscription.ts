import { type Channel, type GroupedOptions, viewAsk } from './channel.js';
import type { Topic } from './control.js';
import { KeptSubscription } from './kept-subscription.js';
import { LocalVolumes } from './local-volumes.js';
import type { Backoff } from './resync.js';
import type { Host, SubscriptionOptions } from './subscription.js';

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

/** What has traded at prices since the session began, in buckets if wanted. */
export const volumes: Channel<GroupedOptions, VolumesSubscription> = {
  name: 'volumes',
  ask: viewAsk,
  Subscription: VolumesSubscription,
};
