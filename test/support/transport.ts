import type { Session, TransportHandlers, TransportOptions } from '../../src/publish/transport.js';

/** What a transport of a test needs; a test overrides what it is about. */
export const OPTIONS: TransportOptions = {
  path: '/v1/feed',
  protocol: 'depthwire.v1',
  isPortShared: false,
  controlBytesMax: 4096,
  backpressureBytesMax: 65_536,
  limits: {
    connectionsMax: 10_000,
    pendingMax: 4096,
    pendingPerAddressMax: 1024,
    pendingMs: 5000,
    clientsPerAddressMax: 10_000,
    handshakesPerSecond: 0,
    isExempt: () => false,
  },
  idleTimeoutSeconds: 60,
};

export const SESSION: Session = { onText() {}, onBinary() {}, onOversize() {}, onPing() {}, onClose() {} };

export const HANDLERS: TransportHandlers = {
  onRequest: () => ({ status: '404 Not Found', headers: {}, body: '' }),
  bodyBytesMax: () => 0,
  onConnectionRefused() {},
  onCertificate() {},
  refuse: () => undefined,
  onOpen: () => SESSION,
};
