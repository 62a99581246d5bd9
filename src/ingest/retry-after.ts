import type { IncomingHttpHeaders } from 'node:http';

/** How long an answer says to wait, in seconds or until a date (RFC 9110, 10.2.3); undefined where it does not say. */
export function retryAfterMs(headers: IncomingHttpHeaders, wallMs: number): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined || text.trim() === '') return undefined;
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - wallMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
