import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { DepthwireError } from '../src/errors.js';
import { selfSigned } from '../src/fake-venue/certificate.js';
import { readCertificate, type TlsFiles } from '../src/publish/transport/certificate.js';
import { openTransport } from '../src/publish/transport/open-transport.js';
import type { Transport, TransportName } from '../src/publish/transport.js';
import { frameOf, OPCODE, RawClient } from './support/raw-websocket.js';
import { HANDLERS, OPTIONS, SESSION } from './support/transport.js';

const folder = mkdtempSync(join(tmpdir(), 'depthwire-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));

const transports: Transport[] = [];
const clients: RawClient[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const transport of transports.splice(0)) transport.close();
});

let files = 0;

/** Files with a certificate that has just been made. */
function written(): TlsFiles & { write: (parts?: { cert?: string; key?: string }) => string; cert: string } {
  files += 1;
  const certFile = join(folder, `${files}.pem`);
  const keyFile = join(folder, `${files}-key.pem`);
  const made = {
    certFile,
    keyFile,
    cert: '',
    write: (parts: { cert?: string; key?: string } = {}): string => {
      const { cert, key } = selfSigned(new Date());
      made.cert = parts.cert ?? cert;
      writeFileSync(certFile, made.cert);
      writeFileSync(keyFile, parts.key ?? key);
      return new X509Certificate(cert).fingerprint256;
    },
  };
  made.write();
  return made;
}

interface Served {
  readonly transport: Transport;
  readonly port: number;
  readonly told: (string | DepthwireError)[];
}

async function serve(name: TransportName, tls: TlsFiles, handshakesPerSecond = 0): Promise<Served> {
  const told: (string | DepthwireError)[] = [];
  const limits = { ...OPTIONS.limits, handshakesPerSecond };
  const transport = await openTransport(
    name,
    { ...OPTIONS, tls, limits, backpressureBytesMax: 1 << 22 },
    {
      ...HANDLERS,
      onRequest: () => ({ status: '200 OK', headers: {}, body: 'well' }),
      onCertificate: (outcome) =>
        told.push(outcome instanceof DepthwireError ? outcome : outcome.fingerprint),
      onOpen: (connection) => {
        connection.subscribe('feed');
        return { ...SESSION, onText: (text) => connection.sendText(text) };
      },
    },
  );
  transports.push(transport);
  return { transport, port: await transport.listen('127.0.0.1', 0), told };
}

async function client(port: number, ca: string): Promise<RawClient> {
  const opened = await RawClient.open(port, { ca });
  clients.push(opened);
  return opened;
}

function fingerprintOf(raw: RawClient): string {
  return (raw.socket as TLSSocket).getPeerCertificate().fingerprint256;
}

describe.each(['uws', 'ws'] as const)('TLS over %s', (name) => {
  it('serves the feed and HTTP', async () => {
    const made = written();
    const { port, transport } = await serve(name, made);
    const good = await client(port, made.cert);
    good.send(frameOf(OPCODE.text, 'echo'));
    await good.until(() => good.texts.includes('echo'), 'echo');
    transport.publish('feed', Buffer.from('frame'));
    await good.until(() => good.frames.length === 2, 'frame');
    const raw = new RawClient(port, { ca: made.cert });
    clients.push(raw);
    raw.send('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await raw.until(() => raw.body === 'well', 'answer');
    // Whoever does not speak TLS gets nothing.
    const plain = new RawClient(port);
    clients.push(plain);
    plain.send('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await plain.until(() => plain.hasEnded, 'end');
    expect(plain.head).toBe('');
  });

  it('takes a new certificate while clients lose nothing, and new ones see it', async () => {
    const made = written();
    const { port, transport, told } = await serve(name, made);
    const first = await client(port, made.cert);
    const before = fingerprintOf(first);
    let sent = 0;
    const timer = setInterval(() => transport.publish('feed', Buffer.from(String(sent++))), 1);
    const stayed = [{ client: first, from: 0, fingerprint: before }];
    try {
      await first.until(() => first.frames.length > 0, 'frame');
      for (let round = 0; round < 3; round++) {
        const fingerprint = made.write();
        const from = sent;
        transport.reloadCertificate();
        expect(told.at(-1)).toBe(fingerprint);
        const next = await client(port, made.cert);
        expect(fingerprintOf(next)).toBe(fingerprint);
        stayed.push({ client: next, from, fingerprint });
        await pause(20);
      }
    } finally {
      clearInterval(timer);
    }
    for (const { client: each, from, fingerprint } of stayed) {
      await each.until(() => Number(String(each.frames.at(-1)?.payload)) === sent - 1, 'last frame');
      const numbers = each.frames.map(({ payload }) => Number(String(payload)));
      const start = numbers[0] ?? 0;
      expect(start).toBeGreaterThanOrEqual(from === 0 ? 0 : from);
      expect(numbers).toEqual(Array.from({ length: sent - start }, (_, at) => start + at));
      expect(fingerprintOf(each)).toBe(fingerprint);
      each.send(frameOf(OPCODE.text, 'still here'));
      await each.until(() => each.texts.includes('still here'), 'echo');
    }
    // The ones of before can go, and the port is held by the last.
    for (const { client: each } of stayed.slice(0, 3)) each.destroy();
    await client(port, made.cert);
  });

  it('keeps the certificate that it has where the new one cannot be used, and says so once', async () => {
    const made = written();
    const { port, transport, told } = await serve(name, made);
    const good = made.cert;
    const { key: foreign } = selfSigned(new Date());
    for (const parts of [{ key: foreign }, { cert: 'no certificate' }, { key: 'no key' }]) {
      made.write(parts);
      transport.reloadCertificate();
      transport.reloadCertificate();
    }
    rmSync(made.keyFile);
    transport.reloadCertificate();
    expect(told).toHaveLength(4);
    for (const error of told) {
      expect(error).toMatchObject({ code: 'serve.certificate', fix: expect.stringMatching(/./) as unknown });
      expect(JSON.stringify(error)).not.toContain('PRIVATE');
    }
    await client(port, good);
    const fingerprint = made.write();
    transport.reloadCertificate();
    expect(told.at(-1)).toBe(fingerprint);
    expect(fingerprintOf(await client(port, made.cert))).toBe(fingerprint);
  });

  it('looks at the files by itself', async () => {
    const made = written();
    const { told } = await serve(name, made);
    const fingerprint = made.write();
    for (const late = performance.now() + 8000; told.length === 0; await pause(50))
      if (performance.now() > late) break;
    expect(told).toEqual([fingerprint]);
  }, 15_000);

  it('takes a key with a passphrase', async () => {
    const made = written();
    const { cert, key } = selfSigned(new Date());
    const passphrase = 'open sesame';
    const sealed = createPrivateKey(key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase,
    });
    made.write({ cert, key: sealed as string });
    const passphraseFile = join(folder, `${files}-passphrase`);
    writeFileSync(passphraseFile, `${passphrase}\n`);
    const { port } = await serve(name, { ...made, passphraseFile });
    await client(port, cert);
  });

  it('counts handshakes before the work of TLS', async () => {
    const made = written();
    const { port } = await serve(name, made, 1);
    let cut = 0;
    for (let at = 0; at < 20; at++) {
      const socket = connectTls({ port, host: '127.0.0.1', ca: made.cert, servername: 'localhost' });
      await new Promise<void>((resolve) => {
        socket.once('secureConnect', () => resolve());
        socket.once('error', () => {
          cut += 1;
          resolve();
        });
      });
      socket.destroy();
    }
    expect(cut).toBeGreaterThan(5);
    expect(cut).toBeLessThan(12);
  });

  it('a thousand handshakes that say nothing shut out no client', async () => {
    const made = written();
    const { port } = await serve(name, made);
    const silent = Array.from({ length: 300 }, () => new RawClient(port));
    clients.push(...silent);
    await silent[299]?.until(() => silent.every(({ socket }) => !socket.connecting), 'connections');
    await client(port, made.cert);
  });
});

describe('a certificate', () => {
  const faults = (change: (files: TlsFiles) => TlsFiles): unknown => {
    try {
      return readCertificate(change(written()));
    } catch (error) {
      return error;
    }
  };

  it('is refused with the file that is wrong', () => {
    expect(faults((given) => ({ ...given, certFile: join(folder, 'none.pem') }))).toMatchObject({
      where: join(folder, 'none.pem'),
      got: 'ENOENT',
    });
    expect(faults((given) => ({ ...given, caFile: given.keyFile, passphraseEnv: 'NO_SUCH' }))).toMatchObject({
      where: 'NO_SUCH',
    });
    expect(faults((given) => ({ ...given, keyFile: given.certFile }))).toMatchObject({
      code: 'serve.certificate',
    });
  });

  it('is refused before and after its time', () => {
    const made = written();
    const day = 86_400_000;
    expect(() => readCertificate(made, Date.now() - 10 * day)).toThrow(DepthwireError);
    expect(() => readCertificate(made, Date.now() + 100 * day)).toThrow(DepthwireError);
    const { fingerprint, validToMs } = readCertificate(made);
    expect(validToMs).toBeGreaterThan(Date.now());
    expect(fingerprint.replaceAll(':', '').toLowerCase()).toBe(
      createHash('sha256').update(new X509Certificate(made.cert).raw).digest('hex'),
    );
  });
});
