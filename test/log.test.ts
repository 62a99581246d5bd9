import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { jsonFormat } from '../src/cli/json-log.js';
import { textFormat } from '../src/cli/log-format.js';
import { serverEvents } from '../src/cli/server-events.js';
import { DepthwireError } from '../src/errors.js';
import { Log, type LogEntry, type LogLevel } from '../src/log.js';

/** A log whose entries are kept and whose time is driven. */
function kept(level: LogLevel = 'debug') {
  const entries: LogEntry[] = [];
  const time = { ms: 0 };
  const log = new Log(
    (entry) => entries.push(entry),
    level,
    () => time.ms,
  );
  return { log, entries, time, lines: () => entries.splice(0).map(({ line }) => line) };
}

const fault = (code: string): DepthwireError =>
  new DepthwireError(code, { what: 'it is wrong', fix: 'Mend it.' });

describe('a log', () => {
  it('tells the first of a burst, counts the rest, and says how many when it is over', () => {
    const { log, lines, time } = kept();
    for (let at = 0; at < 100; at++) log.fault(fault('a.b'));
    log.fault(fault('c.d'));
    expect(lines().map((line) => line.split('\n')[0])).toEqual([
      'error: it is wrong (a.b)',
      'error: it is wrong (c.d)',
    ]);
    time.ms = 999;
    log.tick();
    expect(lines()).toEqual([]);
    time.ms = 1000;
    log.tick();
    expect(lines()).toEqual(['  (99 more of a.b within 1 s)']);
    log.tick();
    expect(lines()).toEqual([]);
    log.fault(fault('a.b'));
    log.fault(fault('a.b'));
    time.ms = 2000;
    log.fault(fault('a.b'));
    expect(lines().map((line) => line.split('\n')[0])).toEqual([
      'error: it is wrong (a.b)',
      '  (1 more of a.b within 1 s)',
      'error: it is wrong (a.b)',
    ]);
  });

  it('holds few kinds apart, however many there are', () => {
    const { log, lines, time } = kept();
    for (let at = 0; at < 10_000; at++) log.burst('info', 'x', `kind ${at}`, `line ${at}`);
    expect(lines()).toHaveLength(129);
    time.ms = 1000;
    log.tick();
    expect(lines()).toEqual(['  (9871 more of other kinds within 1 s)']);
    log.burst('info', 'x', 'kind 0', 'again');
    expect(lines()).toEqual(['again']);
  });

  it('says what is of its level and above, and counts nothing below', () => {
    const { log, entries } = kept('warn');
    log.say('debug', 'a', '1');
    log.say('info', 'b', '2');
    log.burst('info', 'b', 'kind', '2');
    log.warn('3');
    log.say('error', 'c', '4', { n: 1 });
    expect(entries).toEqual([
      { level: 'warn', event: 'warning', line: '3', fields: {} },
      { level: 'error', event: 'c', line: '4', fields: { n: 1 } },
    ]);
  });
});

describe('its forms', () => {
  it('for people put what is wrong on the other stream', () => {
    const out: string[] = [];
    const err: string[] = [];
    const log = new Log(
      textFormat(
        (text) => out.push(text),
        (text) => err.push(text),
      ),
    );
    log.say('info', 'serving', 'a\nb');
    log.fault(fault('a.b'));
    expect([out, err]).toEqual([['a\nb\n'], ['error: it is wrong (a.b)\n  fix:      Mend it.\n']]);
  });

  it('for programs are one object a line, with time, level, event, fields and a line of text', () => {
    const lines: string[] = [];
    const log = new Log(
      jsonFormat((text) => lines.push(text), 'info'),
      'info',
    );
    log.say('info', 'serving', 'depthwire serves\nmore', { port: 1 });
    log.fault(fault('a.b'));
    log.say('debug', 'x', 'not told');
    const [serving, wrong, ...rest] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rest).toEqual([]);
    expect(lines.every((line) => line.endsWith('}\n'))).toBe(true);
    expect(serving).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      event: 'serving',
      port: 1,
      msg: 'depthwire serves',
    });
    expect(wrong).toMatchObject({
      level: 'warn',
      event: 'fault',
      code: 'a.b',
      fix: 'Mend it.',
      msg: 'it is wrong (a.b)',
    });
  });

  it('for programs hide what is named like a secret', () => {
    const lines: string[] = [];
    const log = new Log(
      jsonFormat((text) => lines.push(text), 'info'),
      'info',
    );
    log.say('info', 'x', 'y', {
      token: 'eyJ',
      authorization: 'Bearer eyJ',
      password: 'p',
      secret: 's',
      key: 'k',
    });
    expect(lines.join('')).not.toMatch(/eyJ|"p"|"s"|"k"/);
  });
});

describe('what clients do', () => {
  const request = {
    method: 'get',
    path: '/v1/feed',
    query: '',
    host: 'h',
    origin: 'http://o',
    authorization: 'Bearer x',
    address: '127.0.0.1',
  };

  it('is told with cause and address: refusals and ends to look into, others only for debugging', () => {
    const { log, entries } = kept('info');
    const events = serverEvents(log);
    events.refused(fault('feed.clients_full'), request);
    events.refused(fault('feed.clients_full'), request);
    events.closed({ code: 1000, cause: 'client', seconds: 1.5, address: '127.0.0.1' });
    events.closed({ code: 4408, cause: 'too_slow', seconds: 2, address: '127.0.0.1' });
    expect(entries).toMatchObject([
      {
        event: 'client.refused',
        fields: { code: 'feed.clients_full', address: '127.0.0.1', path: '/v1/feed' },
      },
      { event: 'client.closed', fields: { code: 4408, cause: 'too_slow', seconds: 2 } },
    ]);
    const debugging = kept('debug');
    serverEvents(debugging.log).closed({ code: 1000, cause: 'client', seconds: 1, address: undefined });
    expect(debugging.lines()).toEqual(['closed   1000 client after 1 s']);
  });
});

describe('serve', () => {
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

  it('speaks JSON on standard output when told so, from its first line to its last', async () => {
    const child = spawn(
      process.execPath,
      [main, 'serve', '--port', '0', '--log-format', 'json', '--log-level', 'debug'],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += String(chunk);
      if (out.includes('"books"')) child.kill('SIGTERM');
    });
    child.stderr.on('data', (chunk) => {
      err += String(chunk);
    });
    const [code] = (await once(child, 'close')) as [number];
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly event: string }).event);
    expect([code, err, events]).toEqual([0, '', ['serving', 'books', 'stopping', 'stopped']]);
  });

  it('goes on while nobody reads what it says, and drops what is too much', async () => {
    const script = fileURLToPath(new URL('support/unread-log.mjs', import.meta.url));
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += String(chunk);
    });
    await once(child, 'exit');
    const { dropped } = JSON.parse(err) as { readonly dropped: number };
    // Of 4 MB, one waits and a part of one is with the system.
    expect(dropped).toBeGreaterThan(25_000);
    expect(dropped).toBeLessThan(30_000);
    child.stdout.destroy();
  });
});
