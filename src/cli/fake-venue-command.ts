import { type Command, InvalidArgumentError } from 'commander';
import { DepthwireError } from '../errors.js';
import { chainCodes, codesLike } from '../fake-venue/codes.js';
import { FAKE_ACCOUNT, FakeVenue } from '../fake-venue/fake-venue.js';
import { FAULTS, type Fault, parseFault } from '../fake-venue/fault.js';
import { canOffer, type Offered } from '../fake-venue/offer.js';
import { parseHostAndPort } from '../fake-venue/packet-feed.js';
import type { Playback } from '../fake-venue/recorded-market.js';
import { ownCodes } from '../fake-venue/simulated-market.js';
import { VENUE_FACTS } from '../ingest/venues/index.js';
import { nearest } from '../nearest.js';
import { VERSION } from '../version.js';
import { type GivenRecording, parseRecording, recordedOffers } from './fake-recordings.js';
import { integer } from './integer.js';
import type { Shell } from './shell.js';

interface Flags {
  readonly venue: readonly string[];
  readonly instruments: readonly string[];
  readonly count: number;
  readonly chain: number;
  readonly recording: readonly GivenRecording[];
  readonly speed: number;
  readonly lasts: number;
  readonly loop?: true;
  readonly port: number;
  readonly seed: number;
  readonly fault: readonly Fault[];
  readonly tls?: true;
  readonly udp?: { readonly host: string; readonly port: number };
  readonly tcp?: number;
}

const FAULT_HELP = `what goes wrong: KIND@N, KIND@N/EACH or KIND:CHANNEL@N=MS, where the N-th frame, answer, connection or login is meant; KIND is ${FAULTS.join(', ')}`;

/** Codes of a product that the greeting names. */
const CODES_MAX = 12;

/** Whose options are a chain, and what stands beside them: those of the simulator have long ended. */
const CHAIN_OF = 'deribit';
const OWN_OF_CHAIN = ['BTC-PERPETUAL'];

/** Requests beyond a limit are told at most so often. */
const TELL_MS = 1000;

/** `depthwire fake-venue`. */
export function addFakeVenueCommand(program: Command, shell: Shell): void {
  program
    .command('fake-venue')
    .description('speak as a venue on this machine, with its limits and any fault, to test handlers against')
    .option('--venue <product...>', 'products to speak as (default: all that the simulator has)', [])
    .option(
      '--instruments <code...>',
      'what trades there: BTCUSDT, or binance:BTCUSDT of several products',
      [],
    )
    .option(
      '--count <n>',
      'instruments of each simulated product: those that are named, and invented ones with codes as the venue has them',
      integer,
      0,
    )
    .option('--chain <n>', 'so many options on bitcoin as one chain, of deribit', integer, 0)
    .option(
      '--recording <product=file>',
      'what was received of a product, told again in place of a simulated market; FILE alone where it says whose it is',
      (text, before: readonly GivenRecording[]) => [...before, parseRecording(text)],
      [],
    )
    .option(
      '--speed <n>',
      'seconds that pass in one: of simulated markets, with as many messages more, and of recordings at most',
      speed,
      1,
    )
    .option('--lasts <s>', 'slow each recording down so that it lasts so many seconds at least', integer, 0)
    .option('--loop', 'tell a recording again to those who come back after its end')
    .option('--port <n>', 'port to listen on, 0 = a free one', integer, 8700)
    .option('--seed <n>', 'the same seed gives the same markets', integer, 1)
    .option(
      '--fault <fault>',
      FAULT_HELP,
      (text, before: readonly Fault[]) => [...before, parseFault(text)],
      [],
    )
    .option('--udp <host:port>', 'where to send a simulated day of NASDAQ in MoldUDP64', parseHostAndPort)
    .option('--tcp <n>', 'port at which the same day is told in SoupBinTCP, 0 = a free one', integer)
    .option('--tls', 'wss and https, with a certificate that is made now and printed')
    .action((flags: Flags) => speak(flags, shell));
}

/** Runs until the command is stopped. Throws `fake.*`. */
async function speak(flags: Flags, { stdout, signal }: Shell): Promise<void> {
  const { port, seed, fault: faults, tls = false, speed, udp, tcp: tcpPort } = flags;
  const recorded = await recordedOffers(flags.recording, {
    speed: flags.speed,
    lastsMs: flags.lasts * 1000,
    loop: flags.loop ?? false,
  });
  const products = [...recorded, ...offered(flags, recorded)];
  const venue = new FakeVenue({
    ...{ products, seed, faults, tls, speed },
    ...(udp === undefined ? {} : { udp }),
    ...(tcpPort === undefined ? {} : { tcpPort }),
  });
  await venue.listen(port);
  await stdout.write(greeting(venue, products, flags));
  let told = 0;
  const tell = (): void => {
    const breaches = venue.breaches();
    const latest = breaches.at(-1);
    if (latest === undefined || breaches.length === told) return;
    void stdout.write(`refused  ${breaches.length - told} × ${latest.where}: ${latest.beyond}\n`);
    told = breaches.length;
  };
  const timer = setInterval(tell, TELL_MS);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearInterval(timer);
  tell();
  await venue.stop();
  await stdout.write(summary(venue, String(signal.reason)));
}

/** An option's number above 0. */
function speed(text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new InvalidArgumentError('Give a number above 0.');
}

/**
 * The simulated products that are asked for, with their instruments; without any, and without recordings, all that the
 * simulator speaks as.
 */
function offered(
  { venue, instruments, count, chain }: Flags,
  recorded: readonly Offered[],
): readonly Offered[] {
  if (venue.length === 0 && recorded.length > 0) return [];
  const known = VENUE_FACTS.flatMap((facts) =>
    facts.products.filter(canOffer).map((product) => ({ facts, product })),
  );
  const names = known.map(({ product }) => product.name);
  const products = venue.length === 0 ? names : [...new Set(venue)];
  const twice = products.find((name) => recorded.some(({ product }) => product.name === name));
  if (twice !== undefined) {
    throw new DepthwireError('fake.venue', {
      what: 'a product is to be simulated and told from a recording',
      where: `--venue ${twice}`,
      expected: 'one of the two',
      got: 'both',
      fix: `Leave out --venue ${twice}, or its recording.`,
    });
  }
  return products.map((name) => {
    const found = known.find(({ product }) => product.name === name);
    if (found === undefined) {
      const meant = nearest(name, names);
      throw new DepthwireError('fake.venue', {
        what: 'the fake venue does not speak as this one',
        where: '--venue',
        expected: names.join(', '),
        got: name,
        fix: meant === undefined ? 'Take one of those.' : `Write --venue ${meant}.`,
      });
    }
    const given = instruments.flatMap((text) => codeOf(text, name, products));
    const own = ownCodes(name);
    const options = name === CHAIN_OF ? chainCodes(chain, Date.now()) : [];
    const named = given.length === 0 ? (options.length === 0 ? own : OWN_OF_CHAIN) : given;
    const codes = [...new Set([...named, ...options])];
    const invented = codesLike(own[0] ?? '', Math.max(0, count - codes.length), codes);
    return { ...found, codes: [...codes, ...invented] };
  });
}

/** The code that a text means for a product: `binance:BTCUSDT`, or without the prefix where there is one product only. */
function codeOf(text: string, product: string, products: readonly string[]): readonly string[] {
  const [prefix, code] = text.includes(':')
    ? [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]
    : [];
  if (prefix !== undefined && products.includes(prefix))
    return prefix === product && code !== '' ? [code ?? ''] : [];
  if (products.length === 1) return [text];
  throw new DepthwireError('fake.instrument', {
    what: 'an instrument does not say of which venue it is',
    where: '--instruments',
    expected: products.map((name) => `${name}:${ownCodes(name)[0] ?? 'SYMBOL'}`).join(' or '),
    got: text,
    fix: `Write ${products[0]}:${text}, or name one --venue only.`,
  });
}

function greeting(venue: FakeVenue, products: readonly Offered[], { fault: faults, udp }: Flags): string {
  const { key, secret, passphrase } = FAKE_ACCOUNT;
  const lines = [
    `depthwire ${VERSION} speaks as a venue that does not exist: simulated or recorded markets, real limits`,
  ];
  for (const { product, codes, playback } of products) {
    lines.push(`venue    ${product.name}  ${codesText(codes)}`);
    if (playback !== undefined) lines.push(`recorded ${product.name}  ${playbackText(playback)}`);
  }
  for (const { venue: own, fake } of venue.hosts()) lines.push(`address  --url ${own}=${fake}`);
  if (udp !== undefined) lines.push(`packets  MoldUDP64 to ${udp.host}:${udp.port}`);
  if (venue.tcpPort !== 0) lines.push(`packets  SoupBinTCP at 127.0.0.1:${venue.tcpPort}, any user`);
  lines.push(`account  key ${key}, secret ${secret}, passphrase ${passphrase}`);
  if (faults.length > 0) lines.push(`faults   ${faults.map(faultText).join(' ')}`);
  if (venue.certificate !== null)
    lines.push(`trust    this certificate (NODE_EXTRA_CA_CERTS):\n${venue.certificate.trimEnd()}`);
  lines.push('stop     Ctrl-C', '');
  return lines.join('\n');
}

function codesText(codes: readonly string[]): string {
  const more = codes.length - CODES_MAX;
  return codes.slice(0, CODES_MAX).join(' ') + (more > 0 ? ` and ${more} more` : '');
}

function playbackText({ frames, speed, isLooped }: Playback): string {
  const end = isLooped ? 'again for those who come back' : 'once';
  return `${frames.frames} frames in ${(frames.lastMs / 1000).toFixed(1)} s, at speed ${Number(speed.toFixed(2))}, ${end}`;
}

function faultText({ kind, channel, at, every, ms }: Fault): string {
  const of = channel === undefined ? '' : `:${channel}`;
  return `${kind}${of}@${at}${every === undefined ? '' : `/${every}`}${ms === undefined ? '' : `=${ms}`}`;
}

function summary({ ledger, faults }: FakeVenue, reason: string): string {
  const count = (kind: string): number => ledger.requests.filter((request) => request.kind === kind).length;
  const happened = [...faults.happened].map(([kind, times]) => `${times} × ${kind}`);
  return [
    `stopped (${reason})`,
    `asked    ${count('connect')} connections, ${count('message')} messages, ${count('http')} requests`,
    `refused  ${ledger.breaches().length - count('slow')}`,
    `slow     ${count('slow')} clients that were cut off`,
    `faults   ${happened.length === 0 ? 'none' : happened.join(', ')}`,
    '',
  ].join('\n');
}
