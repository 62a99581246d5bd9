import { DepthwireError, explain } from '../errors.js';
import type { Log, LogLevel } from '../log.js';
import type { ServerEvents } from '../publish/server.js';
import type { CloseCause } from '../publish/transport.js';

/** Ends that are nothing to look into. */
const USUAL: ReadonlySet<CloseCause> = new Set<CloseCause>(['client', 'drain', 'idle', 'lost']);

/** Tells a log of refusals, and of connections that ended: as a debugging matter where that is usual. */
export function serverEvents(log: Log): ServerEvents {
  return {
    refused: ({ code, what, got }, { address = '', path, origin }) => {
      if (!log.takes('info')) return;
      const line = `refused  ${from(address)}${path.slice(0, 120)}: ${what} (${code})`;
      log.burst('info', 'client.refused', code, line, {
        code,
        got,
        address,
        path: path.slice(0, 120),
        origin,
      });
    },
    closed: ({ code, cause, seconds, address = '' }) => {
      const level: LogLevel = USUAL.has(cause) ? 'debug' : 'info';
      if (!log.takes(level)) return;
      const line = `closed   ${from(address)}${code} ${cause} after ${seconds} s`;
      log.burst(level, 'client.closed', cause, line, { code, cause, seconds, address });
    },
    certificate: (outcome) => {
      if (outcome instanceof DepthwireError) {
        log.say(
          'warn',
          'certificate.refused',
          `${explain(outcome)}\n  the one before stays`,
          outcome.toJSON(),
        );
        return;
      }
      const { subject, fingerprint, validToMs } = outcome;
      const until = new Date(validToMs).toISOString();
      const line = `reload   certificate of ${subject.replaceAll('\n', ', ')}, valid until ${until}: new connections see it`;
      log.say('info', 'certificate.changed', line, { subject, fingerprint, until });
    },
    gatewayEnded: ({ place, places, pid, why }) => {
      const what =
        pid === undefined
          ? `could not be started (${why}); it is tried again`
          : `ended (${why}): its clients are cut and may come back at once; it is started anew`;
      const line = `gateway  ${place} of ${places} ${what}`;
      log.say('warn', 'gateway.ended', line, { place, places, pid, why });
    },
  };
}

function from(address: string): string {
  return address === '' ? '' : `${address} `;
}
