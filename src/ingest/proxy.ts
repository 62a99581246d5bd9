import { type AgentOptions, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';

/** How addresses are reached. */
export interface Net {
  /** An HTTP proxy that takes CONNECT, with its user in the address where it needs one. */
  readonly proxy?: string | undefined;
  /** Certificates of authorities to trust in place of those that Node knows, PEM. */
  readonly ca?: string | undefined;
}

/** A proxy that does not answer is given up after this time. */
const CONNECT_MS_MAX = 10_000;

type Made = (error: Error | null, socket?: Socket) => void;
interface Target {
  readonly host?: string | null;
  readonly port?: string | number | null;
  readonly servername?: string;
}

/** Agents for plain and TLS addresses, straight or through the proxy. Idle connections are kept for the next request. */
export function agentsOf(net: Net): { readonly http: HttpAgent; readonly https: HttpsAgent } {
  const options: AgentOptions = { keepAlive: true, maxFreeSockets: 8 };
  const ca = net.ca === undefined ? {} : { ca: net.ca };
  if (net.proxy === undefined) {
    return { http: new HttpAgent(options), https: new HttpsAgent({ ...options, ...ca }) };
  }
  const proxy = new URL(net.proxy);
  const http = new HttpAgent(options);
  const https = new HttpsAgent({ ...options, ...ca });
  const plain = (target: Target, made: Made): undefined => tunnel(proxy, target, 80, made);
  const secure = (target: Target, made: Made): undefined =>
    tunnel(proxy, target, 443, (error, socket) => {
      if (socket === undefined) made(error);
      else
        made(null, tlsConnect({ ...ca, socket, servername: target.servername ?? String(target.host ?? '') }));
    });
  return {
    http: Object.assign(http, { createConnection: plain }),
    https: Object.assign(https, { createConnection: secure }),
  };
}

/** Asks the proxy for a way to the target. `made` is called once. */
function tunnel(proxy: URL, target: Target, port: number, made: Made): undefined {
  const host = target.host ?? 'localhost';
  const authority = `${host.includes(':') ? `[${host}]` : host}:${target.port || port}`;
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const request = (proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    method: 'CONNECT',
    path: authority,
    agent: false,
    timeout: CONNECT_MS_MAX,
    headers: {
      host: authority,
      ...(user === ':' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }),
    },
  });
  request.once('connect', (answer, socket) => {
    if (answer.statusCode === 200) return made(null, socket);
    socket.destroy();
    made(new Error(`the proxy ${proxy.host} refused ${authority}: ${answer.statusCode ?? 'no status'}`));
  });
  request.once('response', (answer) => {
    answer.resume();
    made(new Error(`the proxy ${proxy.host} does not know CONNECT: ${answer.statusCode ?? 'no status'}`));
  });
  request.once('timeout', () => request.destroy(new Error('no answer')));
  request.once('error', ({ message }) =>
    made(new Error(`the proxy ${proxy.host} cannot be reached: ${message}`)),
  );
  request.end();
}
