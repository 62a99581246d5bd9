import { describe, expect, it } from 'vitest';
import { sourceLine } from '../src/cli/source-words.js';
import type { SourceReport } from '../src/publish/sources.js';
import { emptyNotice, parseSources, sourceLines, sourceNote } from '../src/web/sources.js';

const time = new Date(2026, 0, 2, 3, 4, 5).getTime();

const connection = {
  url: 'wss://v',
  line: 0,
  state: 'open',
  connectedSinceMs: time,
  reconnects: 0,
  lastLoss: '',
};

const live: SourceReport = {
  name: 'kraken',
  kind: 'live',
  connections: [connection],
  connectedSinceMs: time,
  books: { synced: 12, syncing: 0, stale: 0 },
  checksums: { checked: 3201, matched: 3201 },
  tops: { checked: 0, matched: 0 },
  lastGap: { instrument: 'kraken:BTC/USD', atMs: time, mendedMs: 412 },
};

const lost: SourceReport = {
  ...live,
  connections: [{ ...connection, connectedSinceMs: 0 }, connection],
  books: { synced: 1, syncing: 1, stale: 1 },
  checksums: { checked: 2, matched: 1 },
  tops: { checked: 4, matched: 4 },
  lastGap: { instrument: 'kraken:BTC/USD', atMs: time, mendedMs: null },
};

const silent: SourceReport = { ...live, connectedSinceMs: null, connections: [], lastGap: null };

/** A list that was asked for in vain. */
const noList = {
  fetchedMs: null,
  failingSinceMs: time,
  retryMs: time + 5000,
  error: {
    code: 'http_get.unreachable',
    what: 'an address does not answer',
    where: 'https://v',
    expected: '',
    got: 'ECONNREFUSED',
    fix: '',
  },
};

describe('a source', () => {
  it.each([
    [
      live,
      'source   kraken: live since 03:04:05, 12 of 12 books synced, checksums 3201 of 3201, last gap 03:04:05 (kraken:BTC/USD), mended in 412 ms',
    ],
    [
      lost,
      'source   kraken: live since 03:04:05 over 1 of 2 connections, 1 of 3 books synced, checksums 1 of 2, best prices 4 of 4, last gap 03:04:05 (kraken:BTC/USD), open',
    ],
    [silent, 'source   kraken: live, not connected, 12 of 12 books synced, checksums 3201 of 3201, no gap'],
    [
      {
        ...silent,
        connections: [{ ...connection, connectedSinceMs: 0, lastLoss: 'login: no token: EAPI:Invalid key' }],
      },
      'source   kraken: live, not connected (login: no token: EAPI:Invalid key), 12 of 12 books synced, checksums 3201 of 3201, no gap',
    ],
    [
      { ...silent, list: { ...noList, error: null, retryMs: null } },
      'source   kraken: waiting for the list of instruments since 03:04:05, being asked for',
    ],
    [
      { ...silent, list: noList },
      'source   kraken: waiting for the list of instruments since 03:04:05 (http_get.unreachable: ECONNREFUSED), asked for again at 03:04:10',
    ],
    [
      { ...live, lastGap: null, list: { ...noList, fetchedMs: time - 60_000 } },
      'source   kraken: live since 03:04:05, 12 of 12 books synced, checksums 3201 of 3201, no gap, the list of instruments of 2026-01-02 03:03:05 counts, for there is none better since 03:04:05 (http_get.unreachable: ECONNREFUSED), asked for again at 03:04:10',
    ],
    [
      {
        ...live,
        lastGap: null,
        list: {
          ...noList,
          fetchedMs: time,
          error: { ...noList.error, code: 'instruments.shrunken', got: '2 are missing: A, B' },
        },
      },
      'source   kraken: live since 03:04:05, 12 of 12 books synced, checksums 3201 of 3201, no gap, instruments that the list lacks are kept, since 03:04:05 (instruments.shrunken: 2 are missing: A, B), asked for again at 03:04:10',
    ],
    [
      { ...live, lastGap: null, clockSkewMs: [2400, 3100] as const },
      'source   kraken: live since 03:04:05, 12 of 12 books synced, checksums 3201 of 3201, no gap, the venue’s clock is 2.4 s or more ahead of ours',
    ],
    [
      { ...live, lastGap: null, clockSkewMs: [-9000, -8000] as const },
      'source   kraken: live since 03:04:05, 12 of 12 books synced, checksums 3201 of 3201, no gap, the venue’s clock is 8.0 s or more behind ours',
    ],
    [
      {
        ...silent,
        list: noList,
        connections: [{ ...connection, connectedSinceMs: 0 }],
        clockSkewMs: [-500, 500] as const,
      },
      'source   kraken: live, not connected, 12 of 12 books synced, checksums 3201 of 3201, no gap, no list of instruments since 03:04:05 (http_get.unreachable: ECONNREFUSED), asked for again at 03:04:10',
    ],
    [
      { ...silent, kind: 'recording' as const, connectedSinceMs: time },
      'source   kraken: recording, 12 of 12 books synced, checksums 3201 of 3201, no gap',
    ],
  ])('is a line of the banner', (report, line) => {
    expect(sourceLine(report)).toBe(line);
  });

  /** Lines of the page, `!` before those that a reader should look into. */
  const shown = (report: unknown): readonly string[] => {
    const [source] = parseSources({ sources: [report] });
    if (source === undefined) return [];
    return sourceLines(source, (ms) => `T${ms - time}`).map(
      ({ label, value, alert }) => `${alert ? '!' : ''}${label}: ${value}`,
    );
  };

  it('is some lines of the page', () => {
    expect(shown(live)).toEqual([
      'Connected: since T0',
      'Synced: 12 of 12',
      'Checksums: 3,201 of 3,201',
      'Last gap: T0, 412 ms',
    ]);
    expect(shown(lost)).toEqual([
      'Connected: since T0',
      '!Connections: 1 of 2',
      '!Synced: 1 of 3',
      '!Checksums: 1 of 2',
      'Best prices: 4 of 4',
      '!Last gap: T0, open',
    ]);
    expect(shown(silent)).toContain('!Connected: no connection');
    expect(shown({ ...live, clockSkewMs: [2400, 3100] })).toContain('!Clock: 2.4 s ahead');
    expect(shown({ ...live, clockSkewMs: [-9000, -8000] })).toContain('!Clock: 8.0 s behind');
    expect(shown({ ...live, clockSkewMs: [-500, 700] })).toEqual(shown(live));
    expect(
      shown({ ...live, kind: 'embedded', connections: [], checksums: { checked: 0, matched: 0 } }),
    ).toEqual(['Running: since T0', 'Synced: 12 of 12', 'Checksums: none sent', 'Last gap: T0, 412 ms']);
  });

  it('says on the page why it has no connection', () => {
    const gone = { ...connection, connectedSinceMs: 0, lastLoss: 'login: no token: EAPI:Invalid key' };
    const titles = parseSources({ sources: [{ ...silent, connections: [gone] }, live] }).map(
      (source) => sourceLines(source, String)[0]?.title,
    );
    expect(titles).toEqual([
      'Lost last: login: no token: EAPI:Invalid key',
      'Since when it delivers without a break',
    ]);
  });

  it('has a note on the page where its list of instruments is not as it should be', () => {
    const parsed = (report: object) => parseSources({ sources: [report] });
    const note = (report: object) =>
      parsed(report).map((source) => sourceNote(source, (ms) => `T${ms - time}`))[0];
    const waiting = { ...silent, list: noList };
    expect(note(waiting)).toEqual({
      text: 'Waiting for the list of instruments since T0.',
      title: 'The venue’s list of instruments. an address does not answer: https://v: ECONNREFUSED',
    });
    expect(shown(waiting)).toEqual([]);
    expect(note({ ...live, list: noList })?.text).toBe(
      'No list of instruments since T0: names as they were given.',
    );
    const older = note({ ...live, list: { ...noList, fetchedMs: 0 } });
    expect(older?.text).toBe('An older list of instruments counts since T0.');
    expect(older?.title).toContain('Listed 1970-01-01T00:00:00.000Z');
    const error = { ...noList.error, code: 'instruments.shrunken' };
    expect(note({ ...live, list: { ...noList, fetchedMs: time, error } })?.text).toBe(
      'Instruments that the list lacks since T0 are kept.',
    );
    const wrong = { ...noList.error, code: 'instruments.no_such', got: 'DOGE*' };
    expect(note({ ...silent, list: { ...noList, error: wrong } })?.text).toBe(
      'The venue lists nothing of what is wanted since T0.',
    );
    expect(note({ ...live, list: { ...noList, failingSinceMs: null } })).toBeNull();
    expect(note(live)).toBeNull();
    const words = (...reports: readonly object[]) =>
      emptyNotice(parseSources({ sources: reports }), (ms) => `T${ms - time}`);
    expect(words(live)).toBe('The server has no instruments yet. They will appear here.');
    expect(words(live, waiting, { ...waiting, name: 'okx' })).toBe(
      'Waiting for the list of instruments of kraken, okx since T0. They will appear here.',
    );
  });

  it('is left out of the page where it is not understood', () => {
    for (const answer of [null, 1, {}, { sources: 1 }, { sources: [null, 1, { name: 1 }] }]) {
      expect(parseSources(answer)).toEqual([]);
    }
    expect(shown({ name: 'x' })).toEqual([
      '!Running: no connection',
      'Synced: 0 of 0',
      'Checksums: none sent',
      'Last gap: none',
    ]);
  });
});
