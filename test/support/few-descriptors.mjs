// A transport in a process with few file descriptors, which its parent has set. Takes a word a line: `eat` opens files until
// there are no descriptors left, `spit` closes them, `cpu` tells the microseconds that the process has computed.
import { closeSync, openSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { connectionsByDescriptors } from '../../dist/publish/transport/descriptors.js';
import { openTransport } from '../../dist/publish/transport/open-transport.js';

const refused = {};
const connectionsMax = connectionsByDescriptors();
const transport = await openTransport(
  process.argv[2],
  {
    path: '/v1/feed',
    protocol: 'depthwire.v1',
    controlBytesMax: 4096,
    backpressureBytesMax: 1 << 20,
    limits: {
      connectionsMax,
      pendingMax: 4096,
      pendingPerAddressMax: 1024,
      pendingMs: 5000,
      clientsPerAddressMax: 10_000,
      handshakesPerSecond: 0,
      isExempt: () => true,
    },
    idleTimeoutSeconds: 60,
  },
  {
    onRequest: () => ({ status: '200 OK', headers: {}, body: 'well' }),
    onConnectionRefused: (cause) => {
      refused[cause] = (refused[cause] ?? 0) + 1;
    },
    onCertificate() {},
    bodyBytesMax: () => 0,
    refuse: () => undefined,
    onOpen: (connection) => ({
      onText: (text) => connection.sendText(text),
      onBinary() {},
      onOversize() {},
      onPing() {},
      onClose() {},
    }),
  },
);
const port = await transport.listen('127.0.0.1', 0);
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
// Standard input and output have been opened by now.
const files = [];
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'eat') {
    try {
      for (;;) files.push(openSync('/dev/null', 'r'));
    } catch (error) {
      say({ ate: files.length, code: error.code });
    }
  } else if (line === 'spit') {
    for (const file of files.splice(0)) closeSync(file);
    say({ ate: 0 });
  } else if (line === 'cpu') {
    const { user, system } = process.cpuUsage();
    say({ us: user + system, refused });
  }
});
say({ port, connectionsMax });
