import type { Limits } from '../../config.js';

/**
 * What one of so many gateways may have of the limits of all: its part of what counts memory and of what counts addresses, for
 * the kernel spreads connections evenly. Clients are counted by all together.
 */
export function shareOf(limits: Limits, gateways: number): Limits {
  const part = (value: number): number => Math.ceil(value / gateways);
  return {
    ...limits,
    clientsPerAddressMax: part(limits.clientsPerAddressMax),
    handshakesPerSecond: part(limits.handshakesPerSecond),
    pendingMax: part(limits.pendingMax),
    pendingPerAddressMax: part(limits.pendingPerAddressMax),
    waitingBytesMax: part(limits.waitingBytesMax),
  };
}
