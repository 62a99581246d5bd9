import { isIPv6 } from 'node:net';

export interface AddressLimits {
  /** WebSockets of one address. */
  readonly clientsPerAddressMax: number;
  /** Handshakes of one address a second, and ten seconds' worth at once; 0 = any number. */
  readonly handshakesPerSecond: number;
}

/** How many seconds' worth of handshakes an address may ask for at once. */
const BURST_SECONDS = 10;

/** Addresses that are kept apart; beyond that newcomers share one account, so that memory is bounded. */
const ADDRESSES_MAX = 16_384;
const OTHERS = '*';

/** Longer than uWebSockets lets a connection live that sends no request. */
const LOOSE_MS = 15_000;

interface Account {
  clients: number;
  tokens: number;
  refilledMs: number;
  /** Connections that were let go of since `looseSinceMs`. */
  loose: number;
  looseSinceMs: number;
}

/** What each address has and has lately asked for: its WebSockets, and a token bucket of handshakes. */
export class Addresses {
  readonly #limits: AddressLimits;
  readonly #accounts = new Map<string, Account>();

  constructor(limits: AddressLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#accounts.size;
  }

  /** Takes one handshake from the bucket of an address. Returns false where it is empty. */
  takeHandshake(address: string, nowMs: number): boolean {
    const { handshakesPerSecond } = this.#limits;
    if (handshakesPerSecond === 0) return true;
    const account = this.#account(address, nowMs);
    this.#refill(account, nowMs);
    if (account.tokens < 1) return false;
    account.tokens -= 1;
    return true;
  }

  /** Counts connections of an address that can no longer be cut. Returns false where that would be too many at a time. */
  takeLoose(address: string, count: number, max: number, nowMs: number): boolean {
    const account = this.#account(address, nowMs);
    if (nowMs - account.looseSinceMs >= LOOSE_MS) {
      account.loose = 0;
      account.looseSinceMs = nowMs;
    }
    if (account.loose + count > max) return false;
    account.loose += count;
    return true;
  }

  /** One of those that could no longer be cut has asked. */
  giveLoose(address: string): void {
    const account = this.#accounts.get(address);
    if (account !== undefined && account.loose > 0) account.loose -= 1;
  }

  /** Whether an address may have one more WebSocket. */
  hasRoom(address: string): boolean {
    return (this.#accounts.get(address)?.clients ?? 0) < this.#limits.clientsPerAddressMax;
  }

  /** Counts a WebSocket, and returns the account to hand back at its end. */
  opened(address: string, nowMs: number): Account {
    const account = this.#account(address, nowMs);
    account.clients += 1;
    return account;
  }

  closed(account: Account): void {
    account.clients -= 1;
  }

  /** Forgets addresses without WebSockets whose bucket is full again. Once a second or so. */
  sweep(nowMs: number): void {
    for (const [address, account] of this.#accounts) {
      if (account.clients > 0 || (account.loose > 0 && nowMs - account.looseSinceMs < LOOSE_MS)) continue;
      this.#refill(account, nowMs);
      if (account.tokens >= this.#tokensMax) this.#accounts.delete(address);
    }
  }

  get #tokensMax(): number {
    return this.#limits.handshakesPerSecond * BURST_SECONDS;
  }

  #account(address: string, nowMs: number): Account {
    const known = this.#accounts.get(address);
    if (known !== undefined) return known;
    if (this.#accounts.size >= ADDRESSES_MAX && address !== OTHERS) return this.#account(OTHERS, nowMs);
    const account = { clients: 0, tokens: this.#tokensMax, refilledMs: nowMs, loose: 0, looseSinceMs: nowMs };
    this.#accounts.set(address, account);
    return account;
  }

  #refill(account: Account, nowMs: number): void {
    const earned = ((nowMs - account.refilledMs) / 1000) * this.#limits.handshakesPerSecond;
    account.tokens = Math.min(this.#tokensMax, account.tokens + earned);
    account.refilledMs = nowMs;
  }
}

export type { Account };

/**
 * What an address is counted as: an IPv4 address as it is, and the first 64 bits of an IPv6 address, for whoever has one of
 * these has all. Takes both ways of writing one.
 */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const hasIPv4 = address.includes('.');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length - (hasIPv4 ? 1 : 0);
  const groups = [...before, ...new Array<string>(zeros).fill('0'), ...after].map((group) =>
    group.includes('.') ? group : (Number.parseInt(group, 16) || 0).toString(16),
  );
  // An IPv4 address in the clothes of an IPv6 one is that IPv4 address.
  if (groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff') {
    const last = groups.slice(6);
    if (last.length === 1) return last[0] ?? '';
    const [high = 0, low = 0] = last.map((group) => Number.parseInt(group, 16));
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  if (groups.slice(0, 7).every((group) => group === '0') && groups[7] === '1') return '::1';
  return `${groups.slice(0, 4).join(':')}::/64`;
}
