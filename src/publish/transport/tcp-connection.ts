import type { Socket } from 'node:net';
import { addressKey } from './addresses.js';
import type { Pending } from './pending.js';

/** A socket with what it is counted for. */
export class TcpConnection implements Pending {
  readonly socket: Socket;
  readonly address: string;
  sinceMs = performance.now();
  /** Whether an answer is under way. */
  isBusy = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.address = addressKey(socket.remoteAddress ?? '');
  }

  close(): void {
    this.socket.destroy();
  }
}

export function farEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
