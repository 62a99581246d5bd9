import type { AppOptions, TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import type { TransportOptions } from '../transport.js';
import type { Certificate, TlsFiles } from './certificate.js';
import { freePort } from './free-port.js';
import { whyNotListening } from './listen-error.js';
import type { Uws } from './uws-transport.js';

/** One app of uWebSockets: one certificate, one set of topics. */
export interface Listener {
  readonly app: TemplatedApp;
  /** Its connections. */
  open: number;
}

/**
 * The app that listens, and those before it whose certificate has been replaced and that still have connections. An app
 * keeps the certificate that it began with for whoever names no host, so a new certificate is a new app on the same port.
 */
export class UwsListeners {
  readonly #uws: Uws;
  readonly #tls: TlsFiles | undefined;
  readonly #isPortShared: boolean;
  readonly #serve: (listener: Listener) => void;
  /** The newest first. */
  readonly #all: Listener[] = [];
  #socket: us_listen_socket | undefined;
  /** Where it listens, or should. */
  #place: { readonly host: string; readonly port: number } | undefined;

  /** `serve` puts the handlers of an app in their places. */
  constructor(
    uws: Uws,
    { tls, isPortShared }: Pick<TransportOptions, 'tls' | 'isPortShared'>,
    certificate: Certificate | undefined,
    serve: (listener: Listener) => void,
  ) {
    this.#uws = uws;
    this.#tls = tls;
    this.#isPortShared = isPortShared;
    this.#serve = serve;
    this.#all.push(this.#make(certificate));
  }

  async listen(host: string, port: number): Promise<number> {
    for (let tries = 0; tries < TRIES_MAX && this.#socket === undefined; tries++) {
      // uWebSockets sets SO_REUSEADDR for a port that it is told alone. Without it nobody can listen at the port again, neither
      // this server with another certificate nor the next one, as long as one of its connections lives or waits out its end.
      this.#place = { host, port: port === 0 ? await freePort(host).catch(() => 0) : port };
      this.#listen();
      // Somebody else may have been given the same port meanwhile.
      if (port !== 0) break;
    }
    if (this.#socket === undefined) {
      this.#place = undefined;
      throw await whyNotListening(host, port);
    }
    this.#place = { host, port: this.#uws.us_socket_local_port(this.#socket) };
    return this.#place.port;
  }

  publish(topic: string, frames: Uint8Array): void {
    for (const { app } of this.#all) app.publish(topic, frames, true, false);
  }

  /**
   * New connections see this certificate from now on. The kernel resets those that it holds for the old listener at this
   * moment. Throws what uWebSockets throws where it cannot use the files; then nothing has changed.
   */
  replace(certificate: Certificate): void {
    const listener = this.#make(certificate);
    this.#unlisten();
    this.#all.unshift(listener);
    // In the same turn, so that hardly anybody comes in between. If the port is gone, the next look tries again.
    this.#listen();
    this.look();
  }

  /** Forgets apps whose connections have all ended, and listens where it should and does not. */
  look(): void {
    for (let at = this.#all.length - 1; at > 0; at--) if (this.#all[at]?.open === 0) this.#all.splice(at, 1);
    if (this.#socket === undefined) this.#listen();
  }

  stop(): void {
    this.#place = undefined;
    this.#unlisten();
  }

  /** Cuts all connections. */
  close(): void {
    this.#place = undefined;
    this.#socket = undefined;
    for (const { app } of this.#all) app.close();
  }

  #make(certificate: Certificate | undefined): Listener {
    const tls = this.#tls;
    const app = tls === undefined ? this.#uws.App() : this.#uws.SSLApp(fileOptions(tls, certificate));
    const listener = { app, open: 0 };
    this.#serve(listener);
    return listener;
  }

  #listen(): void {
    const [newest] = this.#all;
    if (newest === undefined || this.#place === undefined) return;
    // Without the exclusive option a second server would share the port silently.
    const listen = newest.app.listen as unknown as Listen;
    listen.call(
      newest.app,
      this.#place.host,
      this.#place.port,
      this.#isPortShared ? 0 : EXCLUSIVE_PORT,
      (socket) => {
        if (socket !== false) this.#socket = socket;
      },
    );
  }

  #unlisten(): void {
    if (this.#socket === undefined) return;
    this.#uws.us_listen_socket_close(this.#socket);
    this.#socket = undefined;
  }
}

function fileOptions(tls: TlsFiles, certificate: Certificate | undefined): AppOptions {
  const passphrase = certificate?.passphrase;
  return {
    cert_file_name: tls.certFile,
    key_file_name: tls.keyFile,
    ...(tls.caFile !== undefined && { ca_file_name: tls.caFile }),
    ...(passphrase !== undefined && { passphrase }),
  };
}

/** How often a port is chosen where any will do. */
const TRIES_MAX = 3;

/** uWebSockets' LIBUS_LISTEN_EXCLUSIVE_PORT, which the package's types declare under a name that does not exist. */
const EXCLUSIVE_PORT = 1;

/** The form of `listen` with host and option, which works but is missing from the package's types. */
type Listen = (
  host: string,
  port: number,
  options: number,
  done: (socket: us_listen_socket | false) => void,
) => TemplatedApp;
