import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Hosts } from '../src/publish/hosts.js';

function verdict(
  { host = '127.0.0.1', allowHosts = [], allowOrigins = [] }: Partial<ConstructorParameters<typeof Hosts>[0]>,
  asked: string,
  origin = '',
): string {
  return new Hosts({ host, allowHosts, allowOrigins }).refusal(asked, origin)?.code ?? 'own';
}

describe('the Host of a request', () => {
  it.each([
    ['localhost', 'own'],
    ['localhost:8642', 'own'],
    ['LocalHost:1', 'own'],
    ['localhost.', 'own'],
    ['localhost.:8642', 'own'],
    ['127.0.0.1:8642', 'own'],
    ['[::1]:8642', 'own'],
    ['[0:0:0:0:0:0:0:1]', 'own'],
    ['', 'http.foreign_host'],
    ['::1', 'http.foreign_host'],
    ['[::1', 'http.foreign_host'],
    ['[::2]', 'http.foreign_host'],
    ['localhost:', 'http.foreign_host'],
    ['localhost:99999', 'http.foreign_host'],
    ['localhost:80:80', 'http.foreign_host'],
    ['localhost..', 'http.foreign_host'],
    ['localhost.evil.example', 'http.foreign_host'],
    ['evil.example', 'http.foreign_host'],
    ['evil.example@localhost', 'http.foreign_host'],
    ['localhost/evil', 'http.foreign_host'],
    ['localhost#', 'http.foreign_host'],
    ['192.168.1.4:8642', 'http.foreign_host'],
    ['127.0.0.2', 'http.foreign_host'],
  ])('%j is %s', (asked, code) => {
    expect(verdict({}, asked)).toBe(code);
  });

  it('may be a name that the server was told of, in any writing', () => {
    const names = { allowHosts: ['Feed.Example'] };
    expect([verdict(names, 'feed.example'), verdict(names, 'FEED.example.:443')]).toEqual(['own', 'own']);
    expect(verdict(names, 'a.feed.example')).toBe('http.foreign_host');
  });

  it('may be what it listens on; any address where it listens on all, and no name', () => {
    expect(verdict({ host: '127.3.2.1' }, '127.3.2.1:8642')).toBe('own');
    expect(verdict({ host: '2001:db8::5' }, '[2001:DB8:0::5]:8642')).toBe('own');
    for (const host of ['0.0.0.0', '::']) {
      expect(verdict({ host }, '192.168.1.4:8642')).toBe('own');
      expect(verdict({ host }, '[2001:db8::5]')).toBe('own');
      expect(verdict({ host }, 'evil.example')).toBe('http.foreign_host');
      expect(verdict({ host }, '192.168.1.4.evil.example')).toBe('http.foreign_host');
    }
  });
});

describe('the Origin of a request', () => {
  it.each([
    // A browser leaves out the default port of the scheme.
    ['localhost:8642', 'http://localhost:8642', 'own'],
    ['localhost:8642', 'http://127.0.0.1:8642', 'own'],
    ['127.0.0.1:8642', 'HTTP://LOCALHOST:8642', 'own'],
    ['[::1]:8642', 'http://[::1]:8642', 'own'],
    ['localhost.:8642', 'http://localhost.:8642', 'own'],
    ['localhost', 'http://localhost', 'own'],
    ['localhost', 'https://localhost', 'own'],
    ['localhost:443', 'https://localhost', 'own'],
    ['localhost:9000', 'http://localhost:9000', 'own'],
    ['localhost:8642', 'http://localhost:3000', 'http.foreign_origin'],
    ['localhost:8642', 'http://localhost', 'http.foreign_origin'],
    ['localhost:8642', 'http://localhost:80', 'http.foreign_origin'],
    ['localhost:8642', 'https://localhost', 'http.foreign_origin'],
    ['localhost', 'http://localhost:443', 'http.foreign_origin'],
    ['localhost', 'http://localhost:8642', 'http.foreign_origin'],
    ['localhost:8642', 'https://evil.example', 'http.foreign_origin'],
    ['localhost:8642', 'http://localhost:8642.evil.example', 'http.foreign_origin'],
    ['localhost:8642', 'http://localhost.evil.example:8642', 'http.foreign_origin'],
    ['localhost:8642', 'http://evil.example@localhost:8642', 'http.foreign_origin'],
    ['localhost:8642', 'http://localhost:8642/', 'http.foreign_origin'],
    ['localhost:8642', 'null', 'http.foreign_origin'],
    ['localhost:8642', 'file://', 'http.foreign_origin'],
    ['localhost:8642', 'chrome-extension://localhost:8642', 'http.foreign_origin'],
    ['localhost:8642', 'http://[::1', 'http.foreign_origin'],
    ['localhost:8642', 'localhost:8642', 'http.foreign_origin'],
  ])('at %s of %s is %s', (host, origin, code) => {
    expect(verdict({}, host, origin)).toBe(code);
  });

  it('may be one that is listed, by scheme, host and port', () => {
    const names = {
      allowOrigins: [
        'https://App.example',
        'http://localhost:3000',
        'https://b.example:443',
        'http://[::1]:5000',
      ],
    };
    const code = (origin: string): string => verdict(names, 'localhost:8642', origin);
    for (const origin of [
      'https://app.example',
      'https://app.example:443',
      'http://localhost:3000',
      'https://b.example',
      'http://[::1]:5000',
    ])
      expect(code(origin)).toBe('own');
    for (const origin of [
      'http://app.example',
      'https://app.example:8443',
      'https://x.app.example',
      'http://localhost:3001',
      'https://localhost:3000',
      'null',
    ])
      expect(code(origin)).toBe('http.foreign_origin');
  });

  it('may be of a proxy that is named, by the default ports', () => {
    const names = { allowHosts: ['feed.example'] };
    expect(verdict(names, 'feed.example', 'https://feed.example')).toBe('own');
    expect(verdict(names, '127.0.0.1:8642', 'https://feed.example')).toBe('own');
    expect(verdict(names, '127.0.0.1:8642', 'https://feed.example:3000')).toBe('http.foreign_origin');
  });

  it('of any text is taken only where it is the host that was asked, under a name of the server', () => {
    const hosts = new Hosts({ host: '127.0.0.1', allowHosts: [], allowOrigins: [] });
    const part = fc.oneof(
      fc.constantFrom(
        'localhost',
        '127.0.0.1',
        '[::1]',
        'evil.example',
        ':',
        '8642',
        '3000',
        '.',
        '@',
        '/',
        '\\',
        '#',
        '?',
        '%2e',
        ' ',
        'http://',
      ),
      fc.string({ maxLength: 3 }),
    );
    const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, text, (host, origin) => {
        const error = hosts.refusal(host, `http://${origin}`);
        if (error !== undefined) return;
        // What a browser would connect to by such an address, and what it would say of itself.
        expect(['localhost', '127.0.0.1', '[::1]']).toContain(
          new URL(`http://${host}`).hostname.replace(/\.$/, ''),
        );
        expect(new URL(`http://${origin}`).port).toBe(new URL(`http://${host}`).port);
      }),
      { numRuns: 2000 },
    );
  });

  it('that is refused is told what would be taken', () => {
    const hosts = new Hosts({ host: '127.0.0.1', allowHosts: [], allowOrigins: ['https://app.example'] });
    expect(hosts.refusal('localhost:8642', 'http://localhost:3000')?.toJSON()).toMatchObject({
      expected: 'a page of localhost:8642, https://app.example',
      got: 'http://localhost:3000',
      fix: expect.stringContaining('--allow-origin'),
    });
    expect(hosts.refusal('localhost:8642', 'null')?.fix).toContain('by HTTP');
    expect([hosts.allowsOrigin('https://APP.example'), hosts.allowsOrigin('http://localhost:8642')]).toEqual([
      true,
      false,
    ]);
  });
});
