import { SETTINGS, type Setting, SOURCES_ENV } from './settings.js';

/** Widest line of the file. */
const COLUMNS = 100;

/** The head of each section, which says what it is about. */
export const SECTIONS: Readonly<Record<string, string>> = {
  server: 'How clients are served.',
  engine: 'The engine.',
  limits: 'What clients may do.',
  auth: 'Tokens: with one of the first two keys here, clients need one. docs/security.md.',
  tls: 'TLS: with the first two keys here, clients come by https:// and wss:// alone. docs/security.md.',
  log: 'What a server says while it runs.',
  metrics: 'What is measured of the server itself.',
  record: 'A journal of what is received: with a folder here, it is recorded.',
  replay: 'Recordings: with files here, no source is opened.',
  sim: 'The embedded venue, which is served where neither sources nor recordings are named.',
  catalogue: "The venues' lists of instruments.",
};

const SOURCES = `# Live connections, a table each. Its name is the venue, or any name with venue = "…" in it.
# On the command line: depthwire serve kraken:BTC/USD 'binance:BTC*', or ${SOURCES_ENV} with the same texts.
# Every other key as [SOURCE=]VALUE: --depth kraken=100, DEPTHWIRE_DEPTH="kraken=100 binance=1000".

# [sources.binance]
# instruments = ["BTC*", "ETHUSDT"]    # symbols of the venue: * is any text, ? one character
# channels = ["book", "bbo", "trades"] # also orders, ticker, liquidations, status, as far as it offers them
# depth = 1000                         # levels a side that are asked for; absent = the venue's default
# lines = 2                            # two connections that carry the same: the first message of each number counts
# proxy = "http://127.0.0.1:3128"      # for sockets and requests

# streams = ["depth@100ms"]            # the venue's words, where it has several for one channel
# ca_file = "ca.pem"                   # authorities to trust in place of those that Node knows

# [sources.binance.urls]               # the beginning of an address, and what stands in its place
# "wss://data-stream.binance.vision" = "wss://gateway.example"

# [sources.kraken]
# instruments = ["BTC/USD"]
# channels = ["orders"]                # order by order, for those who have a key

# [sources.kraken.keys]                # where keys lie; they stand in no configuration and are never printed
# key_env = "KRAKEN_KEY"               # an environment variable, or key_file = "…"
# secret_file = "/run/secrets/kraken"  # likewise secret_env; passphrase_env, passphrase_file where a venue wants one

# Books made of several instruments that are served, a table each: consolidated:BTC-USD.
# [consolidated.BTC-USD]
# of = ["kraken:BTC/USD", "binance:BTCUSDT"] # 2 to 16; inverse contracts have no common unit with others
# same = ["USD=USDT"]                        # words that mean one asset: all must be of one, and priced in one

# Scales of instruments, where neither the venue's list nor its messages tell them. Also --instrument NAME,tick=0.25,lot=1.
# [[instruments]]
# name = "databento:ESH4"
# tick = "0.25"
# lot = "1"
`;

/** The file that `depthwire config init` writes: every key with its meaning, its default and its other names. */
export function initialConfig(): string {
  const parts = [
    '# depthwire.toml: a key here gives way to its variable of the environment, and both to its flag.\n' +
      '# depthwire serve reads it anew at SIGHUP: sources and their instruments come and go; what else has changed\n' +
      '# is named, and holds from the next start on.\n',
  ];
  for (const [section, head] of Object.entries(SECTIONS)) {
    const settings = SETTINGS.filter(({ path }) => path[0] === section);
    parts.push(`# ${head}\n[${section}]\n${settings.map(lines).join('')}`);
  }
  return [...parts, SOURCES].join('\n');
}

function lines({ path, schema, flag, env }: Setting): string {
  const { minimum, maximum } = schema;
  const bounds = minimum === undefined || maximum === undefined ? '' : ` From ${minimum} to ${maximum}.`;
  const meaning = wrapped(`${schema.description ?? ''}.${bounds} Also --${flag}, ${env}.`);
  const word = path.at(-1)?.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return `${meaning}# ${word} = ${example(schema)}\n`;
}

/** The default as TOML, or an example of what has none. */
function example({ type, default: value, examples: [given] = [] }: Setting['schema']): string {
  if (value !== undefined || given !== undefined) return JSON.stringify(value ?? given);
  if (type === 'integer') return '5000';
  return type === 'array' ? '["recording.gz"]' : '"/var/cache/depthwire"';
}

function wrapped(text: string): string {
  const out: string[] = [];
  for (const word of text.split(' ')) {
    const line = out.at(-1);
    if (line === undefined || line.length + 1 + word.length > COLUMNS) out.push(`# ${word}`);
    else out[out.length - 1] = `${line} ${word}`;
  }
  return `${out.join('\n')}\n`;
}
